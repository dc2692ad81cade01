//! The search results. Only visible ones are drawn. The focus stays in the field; arrow keys move the cursor
//! in the list.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::text::{LayoutJob, TextFormat};
use egui::{
    Color32, Galley, Id, Label, Rect, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use super::{View, excerpt};
use crate::model::known::person_line;
use crate::model::search::{End, Hit, HitPlace};
use crate::ui::theme::{self, Theme, radius, size, space};
use crate::ui::{Cx, bidi, rooms, widgets};

/// Number of lines of an excerpt.
const EXCERPT_LINES: usize = 2;

/// State of the list.
#[derive(Default)]
pub(super) struct List {
    cursor: Option<usize>,
    height: f32,
    /// The results drawn in the last frame.
    drawn: std::ops::Range<usize>,
    /// Scroll to the top, since the results are new.
    to_top: bool,
}

fn id() -> Id {
    Id::unique("search results")
}

pub(super) fn row_id(at: usize) -> Id {
    id().with(at)
}

impl List {
    /// Resets the list for new results.
    pub(super) fn begin_anew(&mut self) {
        *self = List { to_top: true, height: self.height, ..List::default() };
    }

    /// Index of the current result.
    pub(super) fn cursor(&self) -> Option<usize> {
        self.cursor
    }

    /// Index of the current result, if it was drawn.
    pub(super) fn drawn_cursor(&self) -> Option<usize> {
        self.cursor.filter(|at| self.drawn.contains(at))
    }

    /// Makes a result current.
    pub(super) fn put(&mut self, at: usize) {
        self.cursor = Some(at);
    }

    /// Moves the cursor by `by` results, out of `count`.
    pub(super) fn step(&mut self, by: isize, count: usize) {
        if by == 0 || count == 0 {
            return;
        }
        let next = match self.cursor {
            Some(at) => at.saturating_add_signed(by),
            None => usize::try_from(by - 1).unwrap_or(0),
        };
        self.cursor = Some(next.min(count - 1));
    }

    /// Number of results visible at a time.
    pub(super) fn page(&self) -> isize {
        (self.height / size::HIT).max(1.0) as isize
    }
}

impl View {
    /// Draws the results. Returns the one that was clicked. `moved`: the keyboard moved the cursor.
    pub(super) fn results(&mut self, ui: &mut Ui, cx: &mut Cx, moved: bool) -> Option<usize> {
        let area = ui.available_rect_before_wrap();
        self.list.height = area.height();
        ui.interact(area, id(), Sense::hover());
        ui.ctx().accesskit_node_builder(id(), |node| {
            node.set_role(Role::List);
            node.set_label(cx.words.search.results);
        });
        let mut scroll = ScrollArea::vertical().id_salt("search results").auto_shrink(false);
        if std::mem::take(&mut self.list.to_top) {
            scroll = scroll.vertical_scroll_offset(0.0);
        }
        let mut clicked = None;
        let mut more = false;
        let builder = UiBuilder::new().max_rect(area).scope_id(id().with("rows")).accessibility_parent(id());
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().scroll.kinetic.rubber_band = false;
            scroll.show(ui, |ui| {
                let height = self.shown.hits.len() as f32 * size::HIT;
                let (all, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
                let place = |at: usize| {
                    let top = all.top() + at as f32 * size::HIT;
                    Rect::from_min_size(pos2(all.left(), top), vec2(all.width(), size::HIT))
                };
                let clip = ui.clip_rect();
                let first = ((clip.top() - all.top()) / size::HIT).max(0.0) as usize;
                let last = ((clip.bottom() - all.top()) / size::HIT).max(0.0) as usize + 1;
                self.list.drawn = first..last.min(self.shown.hits.len());
                for (at, hit) in self.shown.hits.iter().enumerate().take(last).skip(first) {
                    let is_current = self.list.cursor == Some(at);
                    if row(ui, cx, hit, place(at), row_id(at), is_current, self.everywhere) {
                        clicked = Some(at);
                    }
                }
                if let Some(at) = self.list.cursor.filter(|_| moved) {
                    ui.scroll_to_rect(place(at), None);
                }
                let margin = egui::Margin::symmetric(space::LARGE as i8, space::MEDIUM as i8);
                egui::Frame::new().inner_margin(margin).show(ui, |ui| more = self.end_of(ui, cx));
            });
        });
        if more {
            self.ask_more(cx);
        }
        if let Some(at) = clicked {
            self.list.cursor = Some(at);
        }
        clicked
    }

    /// Draws the end of the list. Returns whether the person asked for more results.
    pub(super) fn end_of(&self, ui: &mut Ui, cx: &Cx) -> bool {
        let (theme, words) = (theme::of(ui), cx.words.search);
        let Some(answer) = &self.shown.answer else { return false };
        let quiet = |ui: &mut Ui, text: &str, colour: Color32| {
            ui.add(Label::new(RichText::new(text).font(theme::small()).color(colour)).wrap());
        };
        let waits = self.asked.as_ref().is_some_and(|asked| !asked.answered);
        let mut more = false;
        match answer.end {
            End::Complete => {
                if !self.shown.hits.is_empty() {
                    quiet(ui, words.no_older, theme.weak);
                }
                if answer.more_at_hub {
                    quiet(ui, words.more_at_hub, theme.weak);
                }
            }
            End::More => more = ui.add_enabled(!waits, widgets::plain(words.older)).clicked(),
            End::TimeUp(reached) => {
                let when = reached.map(cx.words.day);
                quiet(ui, &(words.time_up)(when.as_deref()), theme.warn);
                more = ui.add_enabled(!waits, widgets::plain(words.further)).clicked();
            }
        }
        more
    }
}

/// Draws a result. Returns whether it was clicked.
fn row(ui: &mut Ui, cx: &Cx, hit: &Hit, rect: Rect, id: Id, is_current: bool, shows_place: bool) -> bool {
    let theme = theme::of(ui);
    let rect = rect.shrink2(vec2(space::SMALL, 1.0));
    let response = ui.interact(rect, id, Sense::CLICK);
    let author = author(cx, hit);
    let place = place(cx, hit);
    let (when, colour) = match hit.place {
        HitPlace::Logged(_) => ((cx.words.day_and_clock)(hit.at), theme.weak),
        HitPlace::Outbox => (cx.words.search.not_sent.to_owned(), theme.warn),
    };
    let excerpt = excerpt::shown(&hit.excerpt);
    response.widget_info(|| {
        let text: String = excerpt.iter().map(|(text, _)| text.as_str()).collect();
        let spoken = (cx.words.search.hit)(&author, &place, &when, &text);
        WidgetInfo::labeled(Role::ListItem, true, spoken)
    });
    ui.ctx().accesskit_node_builder(id, |node| node.set_selected(is_current));
    if is_current || response.hovered() {
        let fill = if is_current { theme.selected } else { theme.hover };
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), fill);
    }
    if is_current {
        let stroke = Stroke::new(2.0, theme.accent);
        ui.painter().rect_stroke(rect, f32::from(radius::CONTROL), stroke, egui::StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(space::SMALL, space::TINY + 2.0));
    let head = inner.top() + size::SMALL_LINE / 2.0;
    let time = widgets::cut(ui, &when, theme::small(), colour, inner.width() * 0.6);
    let right = inner.right() - time.size().x;
    ui.painter().galley(pos2(right, head - time.size().y / 2.0), time, colour);
    let name = widgets::cut(
        ui,
        &author,
        theme::small(),
        theme.person(&hit.sender.id.0),
        (right - inner.left()) * 0.55,
    );
    let after = inner.left() + name.size().x + space::SMALL;
    ui.painter().galley(pos2(inner.left(), head - name.size().y / 2.0), name, theme.text);
    // The room is obvious if only one is searched.
    if shows_place {
        let place = widgets::cut(ui, &place, theme::small(), theme.weak, right - after - space::SMALL);
        let at = pos2(after, head - place.size().y / 2.0);
        ui.painter().galley(at, place, theme.weak);
    }
    let at = pos2(inner.left(), inner.top() + size::SMALL_LINE + space::TINY);
    let lines = Rect::from_min_size(at, vec2(inner.width(), EXCERPT_LINES as f32 * size::BODY_LINE));
    let galley = lay_out(ui, theme, &excerpt, inner.width());
    // The layout does not truncate right-to-left text, so it is clipped.
    ui.painter().with_clip_rect(lines.expand(2.0).intersect(ui.clip_rect())).galley(at, galley, theme.text);
    response.clicked()
}

/// The author, distinguishable from others with similar names.
fn author(cx: &Cx, hit: &Hit) -> String {
    let shown = cx.model.read(|model| {
        let connection = model.connections.get(&hit.connection)?;
        Some(connection.chat.shown(&hit.sender, 60).label())
    });
    shown.unwrap_or_else(|| person_line(&hit.sender.name, 60))
}

/// The room, and its connection if there are several.
fn place(cx: &Cx, hit: &Hit) -> String {
    let room = cx.room_title(hit.connection, &hit.room, 64);
    let connection = cx.model.read(|model| {
        let connection = model.connections.get(&hit.connection)?;
        (model.connections.len() > 1).then(|| rooms::name_of(connection, cx.words))
    });
    match connection {
        Some(connection) => format!("# {room} · {connection}"),
        None => format!("# {room}"),
    }
}

fn lay_out(ui: &Ui, theme: &Theme, excerpt: &[(String, bool)], width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::default();
    for (text, is_marked) in excerpt {
        let format = TextFormat {
            font_id: theme::body(),
            color: theme.text,
            line_height: Some(size::BODY_LINE),
            background: if *is_marked { theme.selection } else { Color32::TRANSPARENT },
            ..TextFormat::default()
        };
        job.append(text, 0.0, format);
    }
    let width = width.max(0.0);
    if bidi::is_needed(&job.text) {
        return bidi::lay_out(ui, &job, width);
    }
    job.wrap.max_width = width;
    job.wrap.max_rows = EXCERPT_LINES;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}
