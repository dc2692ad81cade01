//! The connection log: all frames of one connection, in a panel at the bottom. Recorded only while it is
//! open.

mod controls;
mod details;
mod held;
mod line;
mod list;

use egui::{CentralPanel, Frame, Label, Panel, RichText, Ui};

use super::theme::{self, size, space};
use super::{Cx, rooms, widgets};
use crate::model::id::ConnectionId;
use crate::model::intent::{Intent, LogIntent};
use crate::model::log::FRAMES;

use details::Details;
use held::{Filter, LineBuffer};
use list::{LineAction, List};

/// State of the log; `None` while it is closed.
#[derive(Default)]
pub(super) struct Logs(Option<View>);

/// An open log.
struct View {
    connection: ConnectionId,
    held: LineBuffer,
    filter: Filter,
    paused: bool,
    list: List,
    details: Option<Details>,
    /// Whether recording was requested from the worker but not confirmed yet.
    asked: bool,
}

/// What the view needs from the model.
struct Facts {
    name: String,
    saved: Option<Result<std::path::PathBuf, String>>,
    changed: bool,
}

impl Logs {
    /// Opens a connection's log in place of any other.
    pub(super) fn open(&mut self, connection: ConnectionId, intents: &mut Vec<Intent>) {
        if self.shows(connection) {
            return;
        }
        self.close(intents);
        let mut list = List::default();
        list.focus();
        self.0 = Some(View {
            connection,
            held: LineBuffer::default(),
            filter: Filter::default(),
            paused: false,
            list,
            details: None,
            asked: false,
        });
    }

    /// Opens or closes a connection's log.
    pub(super) fn toggle(&mut self, connection: ConnectionId, intents: &mut Vec<Intent>) {
        if self.shows(connection) { self.close(intents) } else { self.open(connection, intents) }
    }

    /// Whether this connection's log is open.
    pub(super) fn shows(&self, connection: ConnectionId) -> bool {
        self.0.as_ref().is_some_and(|view| view.connection == connection)
    }

    /// Focuses the list of lines.
    pub(super) fn focus(&mut self) {
        if let Some(view) = &mut self.0 {
            view.list.focus();
        }
    }

    fn close(&mut self, intents: &mut Vec<Intent>) {
        if let Some(view) = self.0.take() {
            intents.push(Intent::Log(LogIntent::Watch(view.connection, false)));
        }
    }

    /// Draws the log panel, if one is open. Returns whether the person closed it.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let Some(view) = &mut self.0 else { return false };
        let Some(facts) = view.update(cx) else {
            // The connection was removed.
            self.0 = None;
            return false;
        };
        let most = (ui.available_height() * 0.7).max(size::LOG_LEAST);
        let mut closed = false;
        Panel::bottom("connection log")
            .frame(Frame::new().fill(theme::of(ui).panel))
            .resizable(true)
            .default_size(size::LOG.min(most))
            .size_range(size::LOG_LEAST..=most)
            .show(ui, |ui| {
                widgets::landmark(ui, egui::accesskit::Role::Region, cx.words.log.title);
                closed = view.show(ui, cx, &facts);
            });
        widgets::splitter(ui, "connection log", cx.words.log.resize);
        if closed {
            self.close(cx.intents);
            cx.deadline.at(cx.now.boot_ms);
        }
        closed
    }
}

impl View {
    /// Takes over new lines. `None` if the connection no longer exists.
    fn update(&mut self, cx: &mut Cx) -> Option<Facts> {
        let (held, paused) = (&mut self.held, self.paused);
        let (words, model) = (cx.words, cx.model);
        let (mut facts, new, watched) = model.read(|model| {
            let connection = model.connections.get(&self.connection)?;
            let log = &connection.log;
            let new = if paused {
                held.count(log);
                Vec::new()
            } else {
                held.take(log)
            };
            let name = rooms::name_of(connection, words);
            Some((Facts { name, saved: log.saved.clone(), changed: false }, new, log.is_watched()))
        })?;
        facts.changed = held.add(words, &self.filter, new);
        // A restarted worker is no longer recording.
        if !watched && !self.asked {
            cx.intents.push(Intent::Log(LogIntent::Watch(self.connection, true)));
        }
        self.asked = !watched;
        Some(facts)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) -> bool {
        let margin = egui::Margin::symmetric(space::LARGE as i8, space::TINY as i8);
        let before = self.filter.clone();
        let mut changed = facts.changed;
        let mut closed = false;
        Panel::top("connection log controls")
            .frame(Frame::new().inner_margin(margin))
            .resizable(false)
            .show(ui, |ui| closed = self.controls(ui, cx, facts));
        if before != self.filter {
            self.held.filter(cx.words, &self.filter);
            changed = true;
            cx.deadline.at(cx.now.boot_ms);
        }
        let width = ui.available_width();
        if let Some(details) = &self.details {
            let least = size::DEVICES_LEAST.min(width);
            let mut still_open = true;
            Panel::right("connection log line")
                .frame(Frame::new().inner_margin(margin))
                .default_size((width * 0.45).max(least))
                .size_range(least..=(width * 0.7).max(least))
                .show(ui, |ui| still_open = details.show(ui, cx));
            widgets::splitter(ui, "connection log line", cx.words.log.resize_line);
            if !still_open {
                self.close_line(cx);
            }
        }
        CentralPanel::default().frame(Frame::new()).show(ui, |ui| self.lines(ui, cx, changed));
        closed
    }

    fn lines(&mut self, ui: &mut Ui, cx: &mut Cx, changed: bool) {
        if self.held.shown().is_empty() {
            self.nothing(ui, cx);
            return;
        }
        let opened = self.details.as_ref().map(Details::number);
        match self.list.show(ui, cx, self.held.shown(), changed, opened) {
            Some(LineAction::Open(line)) => {
                self.details = Some(Details::new(cx.words, line));
                cx.deadline.at(cx.now.boot_ms);
            }
            Some(LineAction::Copy(line)) => ui.ctx().copy_text(line::copied(cx.words, &line)),
            Some(LineAction::Close) => self.close_line(cx),
            None => {}
        }
    }

    fn close_line(&mut self, cx: &mut Cx) {
        self.details = None;
        self.list.focus();
        cx.deadline.at(cx.now.boot_ms);
    }

    /// The empty state: why there are no lines.
    fn nothing(&mut self, ui: &mut Ui, cx: &mut Cx) {
        let (theme, words) = (theme::of(ui), cx.words.log);
        ui.add_space(space::LARGE);
        ui.vertical_centered(|ui| {
            if self.held.len() > 0 {
                ui.label(RichText::new(words.no_match).color(theme.weak));
                if ui.add(widgets::plain(words.clear_filter)).clicked() {
                    self.filter = Filter::default();
                    self.held.filter(cx.words, &self.filter);
                    cx.deadline.at(cx.now.boot_ms);
                }
            } else {
                ui.label(RichText::new(words.nothing_title).font(theme::heading()));
                ui.set_max_width(size::DIALOG);
                let text = RichText::new((words.nothing_text)(FRAMES)).color(theme.weak);
                ui.add(Label::new(text).wrap());
            }
        });
    }
}
