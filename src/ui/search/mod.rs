//! The search pane: what is looked for, and what was found. It stands at the right, in the place of the devices if they are
//! there, in a narrow window in the place of everything else. [`day`] is the sheet to go to a date.

mod controls;
pub(super) mod day;
mod excerpt;
mod list;

use std::sync::Arc;

use chrono::NaiveDate;
use egui::{CentralPanel, Frame, Key, Margin, Modifiers, Panel, Rect, Ui};

use super::theme::{self, size, space};
use super::{Cx, Place, widgets};
use crate::model::banner::Banner;
use crate::model::id::{ConnectionId, MessageId, RoomId};
use crate::model::intent::{ChatIntent, Intent, Jump};
use crate::model::reducer::Model;
use crate::model::search::{End, Fault, Found, Hit, HitPlace, Patience, Query, Scope, Search, parse};

use list::List;

/// The pane's own state; nothing where it is closed.
#[derive(Default)]
pub(super) struct Pane {
    view: Option<View>,
    /// Never given to two searches.
    number: u64,
}

/// What the person wants of the rest of the window.
pub(super) enum Wish {
    /// To see a message in its room.
    Go(Target),
    /// The pane was closed.
    Closed,
}

/// A message to go to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    /// Of which connection.
    pub(super) connection: ConnectionId,
    /// In which room.
    pub(super) room: RoomId,
    /// Where there.
    pub(super) place: HitPlace,
    /// Its id.
    pub(super) id: MessageId,
}

/// An open pane.
struct View {
    text: String,
    /// An input method is still at the last syllable.
    composing: bool,
    everywhere: bool,
    faults: Vec<Fault>,
    /// Whether some messages were not in the index yet when this was asked.
    was_indexing: bool,
    asked: Option<Asked>,
    shown: Shown,
    list: List,
    wants_focus: bool,
    /// A filter was begun for the person to go on with.
    goes_on: bool,
}

/// What was asked for.
struct Asked {
    number: u64,
    query: Query,
    scope: Scope,
    /// Whether this is for what is older than what is shown.
    is_more: bool,
    answered: bool,
}

/// What is shown of the answers.
#[derive(Default)]
struct Shown {
    hits: Vec<Hit>,
    /// The last answer, without its hits.
    answer: Option<Found>,
}

/// What the model says beside the answers.
struct Facts {
    found: Option<Arc<Found>>,
    indexed: Option<u8>,
    disk_trouble: bool,
    room: Option<(ConnectionId, RoomId)>,
    /// The day it is, by the clock on the wall here.
    today: NaiveDate,
}

fn facts(cx: &Cx, open: Option<&Place>) -> Facts {
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

impl Target {
    /// Where in its room that is.
    pub(super) fn jump(&self) -> Jump {
        match self.place {
            HitPlace::Logged(position) => Jump::To(position),
            HitPlace::Outbox => Jump::End,
        }
    }
}

impl Pane {
    /// Opens the pane, or turns to it, to search in the open room or everywhere.
    pub(super) fn open(&mut self, everywhere: bool) {
        let view = self.view.get_or_insert_with(|| View {
            text: String::new(),
            composing: false,
            everywhere,
            faults: Vec::new(),
            was_indexing: false,
            asked: None,
            shown: Shown::default(),
            list: List::default(),
            wants_focus: true,
            goes_on: false,
        });
        view.everywhere = everywhere;
        view.wants_focus = true;
    }

    /// Whether it is open.
    pub(super) fn is_open(&self) -> bool {
        self.view.is_some()
    }

    /// Closes it, if it is open.
    pub(super) fn close(&mut self) {
        self.view = None;
    }

    /// Puts the keyboard's focus into the field.
    pub(super) fn focus(&mut self) {
        if let Some(view) = &mut self.view {
            view.wants_focus = true;
        }
    }

    /// Draws the pane, if it is open: at the right, or `alone` in the place of all other panes.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        open: Option<&Place>,
        alone: bool,
    ) -> (Option<Wish>, Rect) {
        let Pane { view: Some(view), number } = self else { return (None, Rect::NOTHING) };
        let facts = facts(cx, open);
        view.take(&facts);
        view.ask(cx, &facts, number);
        let frame = Frame::new().fill(theme::of(ui).panel);
        let shown = if alone {
            CentralPanel::default().frame(frame).show(ui, |ui| view.show(ui, cx, &facts, number))
        } else {
            let most = ui.available_width() - size::ROOMS_LEAST - size::CHAT_LEAST;
            Panel::right("search")
                .frame(frame)
                .default_size(size::SEARCH)
                .size_range(size::SEARCH_LEAST..=most.max(size::SEARCH_LEAST))
                .show(ui, |ui| view.show(ui, cx, &facts, number))
        };
        // Where it covers the room it makes place for it.
        if matches!(shown.inner, Some(Wish::Closed)) || (alone && shown.inner.is_some()) {
            self.view = None;
            cx.deadline.at(cx.now.boot_ms);
        }
        (shown.inner, shown.response.rect)
    }
}

impl View {
    /// Takes in what was found.
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

    /// Asks for what is typed, unless that was asked before.
    fn ask(&mut self, cx: &mut Cx, facts: &Facts, number: &mut u64) {
        if std::mem::replace(&mut self.was_indexing, facts.indexed.is_some()) && facts.indexed.is_none() {
            // What was found before may be less than there is.
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
            self.shown = Shown::default();
            self.list.begin_anew();
        } else if self.asked.as_ref().is_none_or(|asked| asked.query != query || asked.scope != scope) {
            self.send(cx, number, query, scope, None);
        }
    }

    /// Asks for what is older.
    fn ask_more(&mut self, cx: &mut Cx, number: &mut u64) {
        let Some(answer) = &self.shown.answer else { return };
        let Some(asked) = self.asked.take() else { return };
        self.send(cx, number, asked.query, asked.scope, Some(answer.next));
    }

    /// `behind`: for what is older than what is shown, from this place on.
    fn send(
        &mut self,
        cx: &mut Cx,
        number: &mut u64,
        query: Query,
        scope: Scope,
        behind: Option<Option<i64>>,
    ) {
        *number += 1;
        let patience = if behind.is_some() { Patience::Thorough } else { Patience::Typing };
        cx.intents.push(Intent::Chat(ChatIntent::Search(Search {
            number: *number,
            query: query.clone(),
            scope: scope.clone(),
            behind: behind.flatten(),
            patience,
        })));
        self.asked =
            Some(Asked { number: *number, query, scope, is_more: behind.is_some(), answered: false });
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts, number: &mut u64) -> Option<Wish> {
        widgets::landmark(ui, egui::accesskit::Role::Search, cx.words.search.button);
        let keys = self.keys(ui);
        let margin = Margin::symmetric(space::MEDIUM as i8, space::SMALL as i8);
        let mut closed = keys.close;
        Panel::top("search controls")
            .frame(Frame::new().inner_margin(margin))
            .resizable(false)
            .show(ui, |ui| closed |= self.controls(ui, cx, facts));
        if closed {
            return Some(Wish::Closed);
        }
        let mut wish = None;
        CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
            let before = self.list.cursor();
            self.list.step(keys.steps, self.shown.hits.len());
            let chosen = if self.shown.hits.is_empty() {
                self.nothing(ui, cx, facts, number);
                None
            } else {
                self.results(ui, cx, number, before != self.list.cursor())
            };
            let by_enter = keys.enter.then(|| self.list.cursor().unwrap_or(0));
            if let Some(hit) = chosen.or(by_enter).and_then(|at| self.shown.hits.get(at)) {
                wish = Some(Wish::Go(Target {
                    connection: hit.connection,
                    room: hit.room.clone(),
                    place: hit.place,
                    id: hit.id,
                }));
            }
        });
        if let (Some(_), Some(at)) = (&wish, keys.enter.then(|| self.list.cursor().unwrap_or(0))) {
            self.list.put(at);
        }
        wish
    }

    /// What the keyboard says. While an input method composes, its keys are its own.
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

    /// Whether there is more than what is shown.
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
