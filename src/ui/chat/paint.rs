//! Draws one row of the message list, and says how high it is.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::text::{LayoutJob, TextFormat};
use egui::{
    Align, Align2, Color32, FontId, Galley, Id, Layout, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, UiBuilder,
    Vec2, pos2, vec2,
};

use super::addresses;
use super::body::{Body, Touch};
use super::events;
use super::extras_paint::{self, Beside};
use super::file_card;
use super::frames;
use super::list::{Placed, head_text};
use super::markup;
use super::row_menu::{self, Opening};
use super::rows::{Fold, Head, Item, Key, PATIENCE_MS, Progress, Row};
use super::selection::Selection;
use super::{MessageAction, RoomKey};
use crate::model::Connection;
use crate::model::event::Paused;
use crate::model::id::MessageId;
use crate::model::time::WallMs;
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::text::{Sentence, local};
use crate::ui::theme::{self, radius, size, space};
use crate::ui::widgets::{self, Mark};

/// Height of a day's or divider's line.
const LINE_ROW: f32 = 34.0;
/// Height of a line of links or buttons below a message.
const ACTS: f32 = 26.0;

/// Where things stand from left to right.
pub(super) struct Columns {
    pub(super) list: Rect,
    pub(super) text_left: f32,
    pub(super) text_width: f32,
    /// Whether reactions can be added.
    pub(super) can_react: bool,
    /// Whether it is a thread.
    pub(super) is_thread: bool,
}

impl Columns {
    pub(super) fn of(list: Rect, can_react: bool, is_thread: bool) -> Columns {
        let text_left = list.left() + size::GUTTER;
        let text_width = (list.right() - size::SCROLL - size::TAIL - text_left).clamp(60.0, size::READING);
        Columns { list, text_left, text_width, can_react, is_thread }
    }

    /// Where the delivery marks stand.
    fn mark_x(&self) -> f32 {
        self.text_left + self.text_width + 18.0
    }
}

/// A row's size and laid-out text. `above` is what stands between it and the row before: it changes when that does.
pub(super) struct Measured {
    pub(super) above: f32,
    pub(super) body: f32,
    text: Body,
    beside: Beside,
    gap: Option<Arc<Galley>>,
    note: Option<Arc<Galley>>,
}

/// What the person wants of a row.
pub(super) enum RowAction {
    /// Something for the worker or the input.
    Act(MessageAction),
    /// To see all of it, or no longer.
    Unfold(MessageId),
    /// To see its JSON on lines of its own, or as it came.
    Format(MessageId, bool),
    /// To see where a link leads.
    See(String),
    /// To have all selected messages as text.
    CopySelected,
}

fn lay(ui: &Ui, text: &str, font: FontId, line: f32, width: f32) -> Arc<Galley> {
    let format = TextFormat {
        font_id: font,
        line_height: Some(line),
        color: Color32::PLACEHOLDER,
        ..Default::default()
    };
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap.max_width = width;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// Whether it waits for so long that words and buttons are due.
fn says_waiting(cx: &Cx, row: &Row) -> bool {
    row.progress == Progress::Pending && cx.now.wall_ms.since(row.at) >= PATIENCE_MS
}

/// Why nothing is sent at the moment, and until when.
fn paused_text(cx: &Cx, paused: &Paused) -> String {
    let is_today = local::date(paused.until) == local::date(cx.now.wall_ms);
    let when = if is_today { (cx.words.clock)(paused.until) } else { (cx.words.day_and_clock)(paused.until) };
    (cx.words.paused)(&paused.refusal, &when)
}

/// Lays a row out.
pub(super) fn measure(ui: &Ui, cx: &Cx, key: &RoomKey, item: &Item, columns: &Columns) -> Measured {
    let small = |text: &str| lay(ui, text, theme::small(), size::SMALL_LINE, columns.text_width);
    let Some(row) = &item.row else {
        let text = item.head.map(|head| head_text(cx, key, head)).unwrap_or_default();
        let text = small(&text);
        let body = text.size().y + space::HUGE + space::SMALL;
        let (text, beside) = (Body::plain(text), Beside::default());
        return Measured { above: 0.0, body, text, beside, gap: None, note: None };
    };
    let text = match &row.markup {
        _ if row.event => Body::plain(small(&row.text)),
        Some(markup) => Body::of(ui, row, markup, columns.text_width),
        None => Body::of_text(ui, row, columns.text_width),
    };
    let gap = item.gap.map(|gap| {
        let (from, to) = cx.words.between(gap.from..gap.to);
        let said = if gap.is_hole { cx.words.private.hole } else { cx.words.gap };
        small(&said(&from, &to))
    });
    let note = match &row.progress {
        Progress::Failed(refusal) => {
            let Sentence { what, then } = (cx.words.refusal)(refusal);
            let failed = if row.makes_room { cx.words.not_made } else { cx.words.not_sent };
            Some(small(&format!("{failed}. {what} {then}")))
        }
        Progress::Pending | Progress::Attempted if row.paused.is_some() => {
            row.paused.as_ref().map(|paused| small(&paused_text(cx, paused)))
        }
        Progress::Pending if says_waiting(cx, row) => Some(small(cx.words.waiting_to_send)),
        Progress::Unsure => Some(small(cx.words.may_not_have_arrived)),
        _ => row.frame.as_ref().and_then(|frame| frame.note.as_deref()).map(small),
    };
    let mut above = if item.grouped { cx.rhythm().little } else { cx.rhythm().group + size::BODY_LINE };
    above += gap.as_ref().map_or(0.0, |gap| gap.size().y + 2.0 * space::MEDIUM);
    above += if item.new_day { LINE_ROW } else { 0.0 };
    above += if item.divider { LINE_ROW } else { 0.0 };
    let mut body = extras_paint::words_height(row, &text);
    let fold = if row.fold == Fold::None { 0.0 } else { ACTS };
    let beside = extras_paint::measure(ui, row, cx, &text, fold, columns);
    body += fold + beside.above + beside.below;
    body += note.as_ref().map_or(0.0, |note| note.size().y + ACTS);
    Measured { above, body, text, beside, gap, note }
}

/// Whether a room's messages are frames, as they are.
pub(super) fn has_frames(cx: &Cx, key: &RoomKey) -> bool {
    cx.model.read(|model| model.connections.get(&key.0).is_some_and(Connection::has_frames))
}

/// An empty room's words.
pub(super) fn empty(ui: &Ui, cx: &Cx, key: &RoomKey, rect: Rect) {
    let theme = theme::of(ui);
    let words = if has_frames(cx, key) { cx.words.plain.empty } else { cx.words.empty_room };
    let galley = lay(ui, words, theme::body(), size::BODY_LINE, rect.width() - 2.0 * space::HUGE);
    let at = rect.center() - galley.size() / 2.0;
    let place = Rect::from_min_size(at, galley.size());
    ui.painter().galley(at, galley, theme.weak);
    widgets::spoken(ui, place, ui.scope_id().with("empty"), words);
}

/// Shows where a link leads, at the list's foot, as browsers do.
pub(super) fn leads_to(ui: &Ui, rect: Rect, url: &str) {
    let theme = theme::of(ui);
    let room = (rect.width() - 2.0 * space::LARGE).max(0.0);
    let galley = widgets::cut(ui, url, theme::small(), theme.text, room);
    let pad = vec2(space::SMALL, space::TINY);
    let size = galley.size() + 2.0 * pad;
    let place = Rect::from_min_size(pos2(rect.left(), rect.bottom() - size.y), size);
    ui.painter().rect_filled(place, f32::from(radius::CONTROL), theme.raised);
    let stroke = Stroke::new(1.0, theme.outline);
    ui.painter().rect_stroke(place, f32::from(radius::CONTROL), stroke, StrokeKind::Inside);
    ui.painter().galley(place.min + pad, galley, theme.text);
}

/// Draws a row.
///
/// Long: its parts from top to bottom, each of which may take what the person wants of it.
#[allow(clippy::too_many_arguments)]
pub(super) fn row(
    ui: &mut Ui,
    cx: &mut Cx,
    key: &RoomKey,
    list: Id,
    columns: &Columns,
    placed: &Placed,
    selection: &Selection,
    opens_menu: bool,
) -> Option<RowAction> {
    let id = list.with(placed.item.key);
    let Some(row) = &placed.item.row else {
        if let Some(head) = placed.item.head {
            draw_head(ui, cx, key, id, columns, placed, head);
        }
        return None;
    };
    let body_top = columns.list.top() + placed.y;
    decorations(ui, cx, id, columns, placed);
    if row.event {
        event(ui, id, columns, placed, row);
        return None;
    }
    let words_height = extras_paint::words_height(row, &placed.measured.text);
    let whole = whole(columns, placed);
    // Below all that can be clicked in it.
    let under = ui.interact(whole, id.with("row"), Sense::CLICK - Sense::FOCUSABLE);
    ui.ctx().accesskit_node_builder(under.id, |node| node.set_role(Role::GenericContainer));
    let mut opening = Opening { by_keys: opens_menu, ..Opening::default() };
    opening.on(&under);
    let is_selected = selection.contains(placed.item.key);
    backdrop(ui, cx, id, columns, placed, row, is_selected);
    let corner = pos2(columns.text_left, body_top);
    let beside = &placed.measured.beside;
    let at = corner + vec2(0.0, beside.above);
    let mut wish = text(ui, cx, key, id, row, placed, at, selection, &mut opening);
    let of_list = (is_selected, columns.is_thread);
    let from_menu = row_menu::show(ui, cx, key, placed.item.key, row, &under, opening, of_list);
    wish = from_menu.or(wish);
    mark(ui, cx, id, columns, row, body_top);
    if let Some(frame) = &row.frame {
        of_frame(ui, cx, id, columns, placed, row, frame);
    }
    if !placed.measured.beside.is_empty() {
        let acted = extras_paint::show(ui, cx, id, row, beside, corner, columns.text_width);
        wish = acted.or(wish);
    }
    if let Some(file) = &beside.file {
        let wanted = file_card::show(ui, cx, key, id, file, at);
        wish = wanted.map(|intent| RowAction::Act(MessageAction::File(Box::new(intent)))).or(wish);
    }
    let mut y = at.y + words_height;
    if row.fold != Fold::None {
        if fold_link(ui, cx, id, row, pos2(columns.text_left, y)) {
            wish = Some(RowAction::Unfold(row.id));
        }
        y += ACTS;
    }
    y += beside.below;
    wish.or(note(ui, cx, id, columns, placed, row, y))
}

/// What is said below a message of its progress, and what can be done about that.
fn note(
    ui: &mut Ui,
    cx: &mut Cx,
    id: Id,
    columns: &Columns,
    placed: &Placed,
    row: &Row,
    y: f32,
) -> Option<RowAction> {
    let theme = theme::of(ui);
    if let Some(note) = &placed.measured.note {
        let colour = match row.progress {
            Progress::Failed(_) => theme.bad,
            Progress::Unsure => theme.warn,
            _ => theme.weak,
        };
        let at = pos2(columns.text_left, y + 2.0);
        ui.painter().galley(at, Arc::clone(note), colour);
        widgets::spoken(ui, Rect::from_min_size(at, note.size()), id.with("note"), note.text());
        // What the server may have is no longer to be changed.
        let can_act = row.progress.can_be_changed() || row.progress.waits_for_the_person();
        let at = pos2(columns.text_left, y + 2.0 + note.size().y);
        let acted = can_act.then(|| acts(ui, cx, id, row, at)).flatten();
        return acted.map(RowAction::Act);
    } else if row.progress == Progress::Pending {
        let left = row.at.saturating_add(PATIENCE_MS).since(cx.now.wall_ms).clamp(1, PATIENCE_MS);
        cx.deadline.at(cx.now.boot_ms.saturating_add(left.unsigned_abs()));
    }
    None
}

/// A row that tells what became of the room.
fn event(ui: &Ui, id: Id, columns: &Columns, placed: &Placed, row: &Row) {
    let text = &placed.measured.text;
    let top = columns.list.top() + placed.y + (placed.measured.body - text.size().y) / 2.0;
    let place = Rect::from_min_size(pos2(columns.text_left, top), text.size());
    text.paint(ui, place.min, theme::of(ui).weak);
    events::mark(ui, id, columns, place, &format!("{}, {}", row.text, row.clock));
}

/// The place of a message from edge to edge, with its author's name.
pub(super) fn whole(columns: &Columns, placed: &Placed) -> Rect {
    let name = if placed.item.grouped { 0.0 } else { size::BODY_LINE };
    Rect::from_min_size(
        pos2(columns.list.left(), columns.list.top() + placed.y - name),
        vec2(columns.list.width() - size::SCROLL - 4.0, name + placed.measured.body),
    )
}

/// Beside a frame: which way it went, by an arrow, and when exactly.
fn of_frame(ui: &Ui, cx: &Cx, id: Id, columns: &Columns, placed: &Placed, row: &Row, frame: &frames::Frame) {
    let whole = whole(columns, placed);
    let gutter = whole.with_max_x(columns.text_left);
    let size = (cx.words.plain.bytes)(frame.bytes);
    let hover = match frame.kind {
        frames::Kind::Socket(_) => frame.moment.clone(),
        _ => format!("{}\n{}, {size}", frame.moment, row.author.name),
    };
    ui.interact(gutter, id.with("moment"), Sense::hover()).on_hover_text(hover);
    if !placed.item.grouped || ui.rect_contains_pointer(whole) {
        return;
    }
    let theme = theme::of(ui);
    let icon = icon_of(row, frame);
    let y = columns.list.top() + placed.y + size::BODY_LINE / 2.0;
    let at = pos2(columns.list.left() + space::LARGE + size::AVATAR / 2.0, y);
    icons::paint(ui.painter(), at, icon, size::ICON, theme.weak);
}

/// An arrow for which way a message went, or what became of the socket.
fn icon_of(row: &Row, frame: &frames::Frame) -> Icon {
    match frame.kind {
        frames::Kind::Socket(icon) => icon,
        _ if row.mine => Icon::Up,
        _ => Icon::Down,
    }
}

/// What stands behind and beside a message: a band where it is selected or under the pointer, the author or the time.
fn backdrop(ui: &Ui, cx: &Cx, id: Id, columns: &Columns, placed: &Placed, row: &Row, selected: bool) {
    let body_top = columns.list.top() + placed.y;
    let whole = whole(columns, placed);
    let under_pointer = ui.rect_contains_pointer(whole.expand2(vec2(0.0, cx.rhythm().little / 2.0)));
    let theme = theme::of(ui);
    let ground = match (selected, row.mention, under_pointer) {
        (true, ..) => Some(theme.selected),
        (_, true, _) => Some(theme.warn_ground),
        (_, _, true) => Some(theme.hover_ground),
        _ => None,
    };
    let band = whole.expand2(vec2(0.0, 2.0));
    if let Some(ground) = ground {
        ui.painter().rect_filled(band, 0.0, ground);
    }
    if row.mention {
        let bar = Rect::from_min_size(band.min, vec2(3.0, band.height()));
        ui.painter().rect_filled(bar, 0.0, theme.warn);
    }
    if placed.item.grouped {
        if under_pointer {
            let at = pos2(columns.text_left - space::MEDIUM, body_top + size::BODY_LINE / 2.0);
            // The offset of a time that comes twice stands below it: side by side they are wider than their place.
            let (clock, offset) = local::parts(&row.clock);
            ui.painter().text(at, Align2::RIGHT_CENTER, clock, theme::small(), theme.weak);
            let below = at + vec2(0.0, size::SMALL_LINE * 0.8);
            ui.painter().text(below, Align2::RIGHT_CENTER, offset, theme::small(), theme.weak);
        }
    } else {
        author(ui, cx, id, columns, row, body_top);
    }
}

/// Gap, day and divider, from the row's top down to its author's line.
fn decorations(ui: &Ui, cx: &Cx, id: Id, columns: &Columns, placed: &Placed) {
    let theme = theme::of(ui);
    let item = &placed.item;
    let mut y = columns.list.top() + placed.y - placed.measured.above;
    if let Some(gap) = &placed.measured.gap {
        let inner = Rect::from_min_size(pos2(columns.text_left, y + space::MEDIUM), gap.size());
        let left = columns.text_left - space::MEDIUM;
        let bar = Rect::from_min_max(pos2(left, inner.top() - 4.0), pos2(left + 3.0, inner.bottom() + 4.0));
        let ground = Rect::from_min_max(bar.min, inner.max + vec2(space::SMALL, 4.0));
        ui.painter().rect_filled(ground, f32::from(radius::CONTROL), theme.warn_ground);
        ui.painter().rect_filled(bar, 1.5, theme.warn);
        ui.painter().galley(inner.min, Arc::clone(gap), theme.text);
        widgets::spoken(ui, inner, id.with("gap"), gap.text());
        y += gap.size().y + 2.0 * space::MEDIUM;
    }
    if item.new_day {
        let at = item.row.as_ref().map_or(WallMs(0), |row| row.at);
        rule(ui, id.with("day"), columns, y, &day_name(cx, at), theme.line, theme.weak);
        y += LINE_ROW;
    }
    if item.divider {
        rule(ui, id.with("new"), columns, y, cx.words.new_messages, theme.accent, theme.accent);
    }
}

fn day_name(cx: &Cx, at: WallMs) -> String {
    match (local::day_number(cx.now.wall_ms), local::day_number(at)) {
        (today, then) if today == then => cx.words.today.to_owned(),
        (today, then) if today == then + 1 => cx.words.yesterday.to_owned(),
        _ => (cx.words.day)(at),
    }
}

/// A line across the list with words in its middle.
fn rule(ui: &Ui, id: Id, columns: &Columns, top: f32, words: &str, line: Color32, text: Color32) {
    let galley = ui.painter().layout_no_wrap(words.to_owned(), theme::small(), text);
    let y = (top + LINE_ROW / 2.0 + 4.0).round();
    let (left, right) = (columns.list.left() + space::LARGE, columns.list.right() - space::LARGE);
    let centre = f32::midpoint(left, right);
    let half = galley.size().x / 2.0 + space::MEDIUM;
    let stroke = Stroke::new(1.0, line);
    ui.painter().hline(left..=centre - half, y, stroke);
    ui.painter().hline(centre + half..=right, y, stroke);
    let rect = Rect::from_center_size(pos2(centre, y), galley.size());
    ui.painter().galley(rect.min, galley, text);
    let shown = widgets::spoken(ui, rect, id, words);
    widgets::heading(ui, &shown, words, 3);
}

/// The author's disc, name and time, right above the body.
fn author(ui: &Ui, cx: &Cx, id: Id, columns: &Columns, row: &Row, body_top: f32) {
    let theme = theme::of(ui);
    let colour = theme.person(&row.author_key.0);
    let top = body_top - size::BODY_LINE;
    let disc = pos2(columns.list.left() + space::LARGE + size::AVATAR / 2.0, top + size::AVATAR / 2.0 + 2.0);
    let colour = match &row.frame {
        Some(_) => {
            if row.mine {
                theme.accent
            } else {
                theme.text
            }
        }
        None => colour,
    };
    if let Some(frame) = &row.frame {
        ui.painter().circle_stroke(disc, size::AVATAR / 2.0 - 1.0, Stroke::new(1.0, colour));
        icons::paint(ui.painter(), disc, icon_of(row, frame), size::ICON, colour);
    } else {
        ui.painter().circle_filled(disc, size::AVATAR / 2.0, colour);
    }
    let name = if row.mine && row.frame.is_none() {
        (cx.words.you)(&row.author.name)
    } else {
        row.author.name.clone()
    };
    // Of one's own where the server knows no names, that of "you".
    let initial: String = name
        .chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "?".to_owned(), |c| c.to_uppercase().to_string());
    if row.frame.is_none() {
        ui.painter().text(disc, Align2::CENTER_CENTER, initial, theme::body(), theme.ground);
    }
    let small = |text: &str, colour| ui.painter().layout_no_wrap(text.to_owned(), theme::small(), colour);
    let short_id = row.author.short_id.as_ref().map(|short| small(&format!("·{short}"), theme.weak));
    let badge = widgets::author_kind(cx.words, &row.author).map(|kind| small(kind, theme.text));
    let beside = short_id.as_ref().map_or(0.0, |galley| galley.size().x + space::TINY)
        + badge.as_ref().map_or(0.0, |galley| galley.size().x + space::SMALL + widgets::BADGE_PAD);
    let clock = small(&row.clock, theme.weak);
    let beside = beside + clock.size().x.max(44.0) + 16.0;
    let name = widgets::cut(ui, &name, theme::strong(size::BODY), colour, columns.text_width - beside);
    let middle = top + size::BODY_LINE / 2.0 - 1.0;
    let mut right = columns.text_left + name.size().x;
    ui.painter().galley(pos2(columns.text_left, middle - name.size().y / 2.0), name, colour);
    if let Some(short_id) = short_id {
        let at = pos2(right + space::TINY, middle + 0.5 - short_id.size().y / 2.0);
        right = at.x + short_id.size().x;
        ui.painter().galley(at, short_id, theme.weak);
    }
    if let Some(badge) = badge {
        let rect = widgets::badge(ui, pos2(right + space::SMALL, middle + 0.5), badge, theme);
        right = rect.right();
        let kind = widgets::author_kind(cx.words, &row.author).unwrap_or_default();
        widgets::spoken(ui, rect, id.with("kind"), kind).on_hover_text(cx.words.kind_hint);
    }
    let at = pos2(right + space::SMALL, middle + 0.5 - clock.size().y / 2.0);
    ui.painter().galley(at, clock, theme.weak);
}

/// The message itself: selectable, with a menu, known to screen readers with its author, time and progress.
#[allow(clippy::too_many_arguments)]
fn text(
    ui: &mut Ui,
    cx: &mut Cx,
    key: &RoomKey,
    id: Id,
    row: &Arc<Row>,
    placed: &Placed,
    at: Pos2,
    selection: &Selection,
    opening: &mut Opening,
) -> Option<RowAction> {
    let theme = theme::of(ui);
    let colour = match row.progress {
        Progress::Pending | Progress::Attempted => theme.weak,
        _ if row.is_about_socket() || row.extras.deleted => theme.weak,
        _ => theme.text,
    };
    let selected = selection.contains(placed.item.key);
    // Whole messages are selected, or a part of one.
    let by_letters = selection.is_empty();
    let touch = placed.measured.text.show(ui, cx, id, row, at, colour, by_letters, |ui, response| {
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_description(description(cx, row));
            if selected {
                node.set_selected(true);
            }
        });
        opening.on(response);
    });
    opening.by_pointer |= touch.menu;
    touched(ui, cx, key, placed.item.key, row, touch)
}

/// What follows from what a person did with a message's links and code.
fn touched(ui: &Ui, cx: &Cx, key: &RoomKey, placed: Key, row: &Row, touch: Touch) -> Option<RowAction> {
    if let Some(nth) = touch.copied_code {
        let whole = as_written(cx, key, placed, row);
        ui.ctx().copy_text(markup::code(&whole, &row.text, nth));
    }
    let markup = row.markup.as_ref()?;
    if let Some(link) = touch.followed {
        let claimed = addresses::claimed(&markup.link_text(link)).map(str::to_owned);
        return Some(RowAction::Act(MessageAction::Follow(markup.links.get(link)?.clone(), claimed)));
    }
    Some(RowAction::See(markup.links.get(touch.pointed?)?.url().to_owned()))
}

fn description(cx: &Cx, row: &Row) -> String {
    if let Some(frame) = &row.frame {
        if row.is_about_socket() {
            return frame.moment.clone();
        }
        let size = (cx.words.plain.bytes)(frame.bytes);
        return format!("{}, {size}", (cx.words.said)(&row.author.name, &frame.moment));
    }
    let name = row.author.label();
    let name = if row.mine { (cx.words.you)(&name) } else { name };
    let name = match widgets::author_kind(cx.words, &row.author) {
        Some(kind) => format!("{name}, {kind}"),
        None => name,
    };
    let said = (cx.words.said)(&name, &row.clock);
    let said = if row.mention { format!("{said}, {}", cx.words.rich.mentions_you) } else { said };
    let said = match &row.extras.pinned {
        Some(by) => format!("{said}, {}", (cx.words.chat.pinned_by)(by)),
        None => said,
    };
    let progress = match &row.progress {
        Progress::Logged { live: true } | Progress::Ours | Progress::Acknowledged => return said,
        Progress::Logged { live: false } => cx.words.replayed,
        Progress::Pending => cx.words.waiting_to_send,
        Progress::Attempted => cx.words.sending,
        Progress::Sent => cx.words.sent_unconfirmed,
        Progress::Unsure => cx.words.may_not_have_arrived,
        Progress::Failed(_) => cx.words.not_sent,
    };
    format!("{said}, {progress}")
}

/// The message with everything that is folded or made harmless on the screen.
pub(super) fn as_written(cx: &Cx, key: &RoomKey, placed: Key, row: &Row) -> String {
    // What is said of the socket has its words here.
    if row.is_about_socket() || row.event {
        return row.text.clone();
    }
    let logged = cx.model.read(|model| {
        let chat = &model.connections.get(&key.0)?.chat;
        match placed {
            Key::Message(position) => {
                let message = chat.rooms.get(&key.1)?.message(row.id)?;
                if message.position != position {
                    return None;
                }
                Some(message.body().to_owned())
            }
            Key::Pending(seq) => {
                let item =
                    chat.outbox.get(&seq).filter(|item| item.draft.id == row.id && row.frame.is_some())?;
                Some(item.draft.content.body().to_owned())
            }
            Key::Head => None,
        }
    });
    logged.or_else(|| row.original.clone()).unwrap_or_else(|| row.text.clone())
}

/// To change it in the input, where it was typed there.
pub(super) fn edit(row: &Row) -> Option<MessageAction> {
    row.original.clone().map(|original| MessageAction::Edit(row.id, original))
}

/// How far one's own message has come, as a mark at the right: none once it is delivered.
fn mark(ui: &Ui, cx: &Cx, id: Id, columns: &Columns, row: &Row, body_top: f32) {
    let (mark, words) = match row.progress {
        Progress::Logged { .. } | Progress::Ours | Progress::Acknowledged => {
            if let Some(by) = &row.extras.pinned {
                let centre = pos2(columns.mark_x(), body_top + size::BODY_LINE / 2.0);
                icons::paint(ui.painter(), centre, Icon::Pin, 14.0, theme::of(ui).accent);
                let place = Rect::from_center_size(centre, Vec2::splat(size::ICON + space::TINY));
                ui.interact(place, id.with("pin"), Sense::hover())
                    .on_hover_text((cx.words.chat.pinned_by)(by));
            }
            return;
        }
        Progress::Pending => (Mark::Waiting, cx.words.waiting_to_send),
        Progress::Attempted => (Mark::Sending, cx.words.sending),
        // A check mark would look like a confirmation.
        Progress::Sent => (Mark::Sending, cx.words.sent_unconfirmed),
        Progress::Unsure => (Mark::Failed, cx.words.may_not_have_arrived),
        Progress::Failed(_) => (Mark::Failed, cx.words.not_sent),
    };
    let centre = pos2(columns.mark_x(), body_top + size::BODY_LINE / 2.0);
    widgets::delivery_mark(ui.painter(), centre, mark, theme::of(ui));
    let place = Rect::from_center_size(centre, Vec2::splat(size::ICON + space::TINY));
    ui.interact(place, id.with("mark"), Sense::hover()).on_hover_text(words);
}

fn line_of_acts(ui: &mut Ui, id: Id, at: Pos2) -> Ui {
    let rect = Rect::from_min_size(at, vec2(420.0, ACTS));
    let builder = UiBuilder::new().max_rect(rect).scope_id(id).layout(Layout::left_to_right(Align::Center));
    ui.new_child(builder)
}

fn fold_link(ui: &mut Ui, cx: &Cx, id: Id, row: &Row, at: Pos2) -> bool {
    let words = match row.fold {
        _ if row.expanded => cx.words.show_less.to_owned(),
        Fold::Lines(lines) => (cx.words.show_lines)(lines),
        Fold::Characters(characters) => (cx.words.show_characters)(characters),
        Fold::Bytes(bytes) => (cx.words.plain.show_bytes)(bytes),
        Fold::None => return false,
    };
    let theme = theme::of(ui);
    line_of_acts(ui, id.with("fold"), at).add(widgets::link(theme, &words)).clicked()
}

/// What can be done with a message that was not sent.
fn acts(ui: &mut Ui, cx: &Cx, id: Id, row: &Row, at: Pos2) -> Option<MessageAction> {
    let theme = theme::of(ui);
    let mut line = line_of_acts(ui, id.with("acts"), at);
    line.spacing_mut().item_spacing.x = space::LARGE;
    line.spacing_mut().button_padding.x = 0.0;
    let mut act = None;
    let again = if row.progress == Progress::Unsure { cx.words.send_again } else { cx.words.retry };
    if row.progress.waits_for_the_person() && line.add(widgets::link(theme, again)).clicked() {
        act = Some(MessageAction::Resend(row.id));
    }
    if row.progress.can_be_changed()
        && let Some(edit) = edit(row)
        && line.add(widgets::link(theme, cx.words.edit)).clicked()
    {
        act = Some(edit);
    }
    if line.add(widgets::link(theme, cx.words.delete)).clicked() {
        act = Some(MessageAction::Discard(row.id));
    }
    act
}

fn draw_head(ui: &Ui, cx: &Cx, key: &RoomKey, id: Id, columns: &Columns, placed: &Placed, head: Head) {
    debug_assert_eq!(placed.item.key, Key::Head);
    let theme = theme::of(ui);
    let text = &placed.measured.text;
    let centre = pos2(columns.list.center().x, columns.list.top() + placed.y + placed.measured.body / 2.0);
    let rect = Rect::from_center_size(centre, text.size());
    let colour = if head == Head::OnServer { theme.text } else { theme.weak };
    text.paint(ui, rect.min, colour);
    widgets::spoken(ui, rect, id, &head_text(cx, key, head));
}
