//! Draws what stands beside a message's words, and says how much room it takes.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{
    Align, Color32, CursorIcon, FontId, Galley, Id, Layout, Pos2, Rect, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use super::MessageAction;
use super::body::Body;
use super::extras::{Chip, Extras};
use super::file_card::{self, FileBox};
use super::paint::{Columns, RowAction};
use super::rows::Row;
use crate::ui::icons::{self, Icon};
use crate::ui::text::Sentence;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, widgets};

/// Height of the line that quotes what a message replies to, in points.
const QUOTE: f32 = 22.0;
/// Height of a reaction, in points.
const CHIP: f32 = 24.0;
/// Between reactions, in points.
const GAP: f32 = 4.0;
/// Beside the letters of a reaction, on each side, in points.
const CHIP_PAD: f32 = 8.0;
/// Size of a reaction's emoji, in points.
const CHIP_EMOJI: f32 = 15.0;
/// Height of the line that leads to a thread, in points.
const THREAD: f32 = 26.0;

/// What stands beside a message's words, laid out. Places are below and beside the corner of the message.
#[derive(Default)]
pub(super) struct Beside {
    /// What stands above the words.
    pub(super) above: f32,
    /// What stands below them.
    pub(super) below: f32,
    quote: Option<Arc<Galley>>,
    edited: Option<(Vec2, Arc<Galley>)>,
    chips: Vec<(Rect, Arc<Galley>, Arc<Galley>)>,
    /// Of the button behind the reactions.
    add: Option<Rect>,
    /// Top of the line that leads to the thread.
    thread: Option<f32>,
    pub(super) file: Option<FileBox>,
    /// Who has read it.
    read_by: Option<(f32, Arc<Galley>)>,
    note: Option<(f32, Arc<Galley>)>,
}

impl Beside {
    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.above == 0.0 && self.below == 0.0 && self.edited.is_none()
    }
}

/// How much room a message's words take: none where there is only a file.
pub(super) fn words_height(row: &Row, text: &Body) -> f32 {
    if row.extras.file.is_some() && row.text.is_empty() { 0.0 } else { text.size().y.max(size::BODY_LINE) }
}

/// Lays it out. `text`: the words; `acts`: the height of what stands between them and the reactions.
pub(super) fn measure(ui: &Ui, row: &Row, cx: &Cx, text: &Body, acts: f32, columns: &Columns) -> Beside {
    let (width, can_react) = (columns.text_width, columns.can_react);
    let extras = &row.extras;
    let mut beside = Beside::default();
    if *extras == Extras::default() {
        return beside;
    }
    let theme = theme::of(ui);
    let words = cx.words.chat;
    if let Some(quote) = &extras.quote {
        let room = width - 16.0 - space::TINY;
        beside.quote = Some(widgets::cut(ui, &quote.text, theme::small(), theme.weak, room));
        beside.above = QUOTE;
    }
    let text_height = words_height(row, text);
    let mut bottom = text_height + acts;
    if extras.edited.is_some() {
        let galley = ui.painter().layout_no_wrap(words.edited.to_owned(), theme::small(), theme.weak);
        let place =
            match text.last_line().filter(|(right, _)| right + space::SMALL + galley.size().x <= width) {
                Some((right, middle)) => vec2(right + space::TINY + 2.0, middle - galley.size().y / 2.0),
                None => {
                    bottom += size::SMALL_LINE;
                    vec2(0.0, bottom - size::SMALL_LINE)
                }
            };
        beside.edited = Some((place, galley));
    }
    if let Some(file) = &extras.file {
        let file = file_card::measure(ui, cx, file, bottom, width);
        bottom += file.height();
        beside.file = Some(file);
    }
    if !extras.chips.is_empty() {
        bottom = chips(ui, &mut beside, &extras.chips, bottom + GAP, width, can_react);
    }
    if extras.replies > 0 && !columns.is_thread {
        beside.thread = Some(bottom);
        bottom += THREAD;
    }
    if let Some(by) = &extras.read_by {
        beside.read_by = Some((bottom, widgets::cut(ui, &by.text, theme::small(), theme.weak, width)));
        bottom += size::SMALL_LINE;
    }
    if let Some(change) = &extras.change {
        let text = match &change.refused {
            Some(refusal) => {
                let Sentence { what, then } = (cx.words.refusal)(refusal);
                format!("{}. {what} {then}", (words.change_refused)(change.kind))
            }
            None => (words.change_waits)(change.kind).to_owned(),
        };
        let colour = if change.refused.is_some() { theme.bad } else { theme.weak };
        let galley = ui.painter().layout(text, theme::small(), colour, width);
        beside.note = Some((bottom + 2.0, Arc::clone(&galley)));
        bottom += galley.size().y + 4.0 + if change.refused.is_some() { THREAD } else { 0.0 };
    }
    beside.below = bottom - text_height - acts;
    beside
}

/// Gives the reactions their places. Returns where they end.
fn chips(ui: &Ui, beside: &mut Beside, all: &[Chip], top: f32, width: f32, can_react: bool) -> f32 {
    let theme = theme::of(ui);
    let mut at = vec2(0.0, top);
    let mut place = |wide: f32| {
        if at.x > 0.0 && at.x + wide > width {
            at = vec2(0.0, at.y + CHIP + GAP);
        }
        let rect = Rect::from_min_size(at.to_pos2(), vec2(wide, CHIP));
        at.x += wide + GAP;
        rect
    };
    for chip in all {
        let colour = if chip.mine { theme.accent } else { theme.text };
        let lay = |text: &str, font| ui.painter().layout_no_wrap(text.to_owned(), font, colour);
        let emoji = lay(&chip.emoji, FontId::proportional(CHIP_EMOJI));
        let count = lay(&chip.count.to_string(), theme::small());
        let rect = place(emoji.size().x + count.size().x + GAP + 2.0 * CHIP_PAD);
        beside.chips.push((rect, emoji, count));
    }
    if can_react {
        beside.add = Some(place(CHIP + 6.0));
    }
    at.y + CHIP + GAP / 2.0
}

/// Draws it. `corner`: of the message, where its quote begins. Returns what the person wants.
///
/// Long: one part after the other.
pub(super) fn show(
    ui: &mut Ui,
    cx: &Cx,
    id: Id,
    row: &Row,
    beside: &Beside,
    corner: Pos2,
    width: f32,
) -> Option<RowAction> {
    let theme = theme::of(ui);
    let extras = &row.extras;
    let mut wish = None;
    if let (Some(quote), Some(galley)) = (&extras.quote, &beside.quote) {
        let rect = Rect::from_min_size(corner, vec2(galley.size().x + 20.0, QUOTE - 2.0));
        let response = ui.interact(rect, id.with("quote"), Sense::click());
        let name = match quote.to {
            Some(_) => (cx.words.chat.replies_to)(&quote.text),
            None => quote.text.clone(),
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Link, quote.to.is_some(), &name));
        icons::paint(ui.painter(), corner + vec2(7.0, QUOTE / 2.0 - 1.0), Icon::Reply, 13.0, theme.weak);
        let colour = if response.hovered() && quote.to.is_some() { theme.accent } else { theme.weak };
        let at = corner + vec2(18.0, (QUOTE - galley.size().y) / 2.0 - 1.0);
        ui.painter().galley_with_override_text_color(at, Arc::clone(galley), colour);
        widgets::focus_ring(ui, &response, theme);
        if quote.to.is_some() && response.hovered() {
            ui.set_cursor_icon(CursorIcon::PointingHand);
        }
        if let (true, Some((position, id))) = (response.clicked(), quote.to) {
            wish = Some(RowAction::Act(MessageAction::GoTo(position, id)));
        }
    }
    let corner = corner + vec2(0.0, beside.above);
    if let (Some(when), Some((place, galley))) = (&extras.edited, &beside.edited) {
        let rect = Rect::from_min_size(corner + *place, galley.size());
        ui.painter().galley(rect.min, Arc::clone(galley), theme.weak);
        let said = (cx.words.chat.edited_at)(when);
        let response = ui.interact(rect, id.with("edited"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Link, true, &said));
        widgets::focus_ring(ui, &response, theme);
        if response.hovered() {
            ui.set_cursor_icon(CursorIcon::PointingHand);
        }
        if let (true, Some(at)) = (response.on_hover_text(said).clicked(), extras.place) {
            wish = Some(RowAction::Act(MessageAction::History(at)));
        }
    }
    for (chip, (rect, emoji, count)) in extras.chips.iter().zip(&beside.chips) {
        let rect = rect.translate(corner.to_vec2());
        if self::chip(ui, id.with(("chip", &chip.emoji)), chip, rect, emoji, count) {
            wish = Some(RowAction::Act(MessageAction::React(row.id, chip.emoji.clone(), chip.mine)));
        }
    }
    if let Some(rect) = beside.add {
        let rect = rect.translate(corner.to_vec2());
        if add(ui, cx, id.with("add reaction"), rect) {
            wish = Some(RowAction::Act(MessageAction::PickReaction(row.id, rect)));
        }
    }
    if let Some(top) = beside.thread {
        let place = Rect::from_min_size(corner + vec2(0.0, top), vec2(width, THREAD));
        let mut line = line(ui, id.with("thread"), place);
        icons::paint(line.painter(), place.left_center() + vec2(8.0, 0.0), Icon::Thread, 14.0, theme.accent);
        line.add_space(20.0);
        line.spacing_mut().button_padding.x = 0.0;
        let text = match extras.new_replies {
            0 => (cx.words.chat.replies)(extras.replies),
            new => (cx.words.chat.new_replies)(extras.replies, new),
        };
        if line.add(widgets::link(theme, &text)).clicked() {
            wish = Some(RowAction::Act(MessageAction::Thread(row.id)));
        }
    }
    if let (Some(by), Some((top, galley))) = (&extras.read_by, &beside.read_by) {
        let rect = Rect::from_min_size(corner + vec2(0.0, *top), galley.size());
        ui.painter().galley(rect.min, Arc::clone(galley), theme.weak);
        widgets::spoken(ui, rect, id.with("read by"), &by.text).on_hover_text(&by.all);
    }
    change(ui, cx, id, row, beside, corner, width).or(wish)
}

/// What is said of a change that waits or was refused, and what can be done about that.
fn change(
    ui: &mut Ui,
    cx: &Cx,
    id: Id,
    row: &Row,
    beside: &Beside,
    corner: Pos2,
    width: f32,
) -> Option<RowAction> {
    let (change, (top, note)) = (row.extras.change.as_ref()?, beside.note.as_ref()?);
    let theme = theme::of(ui);
    let at = corner + vec2(0.0, *top);
    ui.painter().galley(at, Arc::clone(note), theme.text);
    widgets::spoken(ui, Rect::from_min_size(at, note.size()), id.with("change"), note.text());
    change.refused.as_ref()?;
    let place = Rect::from_min_size(at + vec2(0.0, note.size().y), vec2(width, THREAD));
    let mut line = line(ui, id.with("change acts"), place);
    line.spacing_mut().item_spacing.x = space::LARGE;
    line.spacing_mut().button_padding.x = 0.0;
    let again = line.add(widgets::link(theme, cx.words.retry)).clicked();
    let drop = line.add(widgets::link(theme, cx.words.chat.discard_change)).clicked();
    match (again, drop) {
        (true, _) => Some(RowAction::Act(MessageAction::Resend(change.id))),
        (_, true) => Some(RowAction::Act(MessageAction::Discard(change.id))),
        _ => None,
    }
}

fn line(ui: &mut Ui, id: Id, place: Rect) -> Ui {
    let builder = UiBuilder::new().max_rect(place).scope_id(id).layout(Layout::left_to_right(Align::Center));
    ui.new_child(builder)
}

/// Draws a reaction. Returns whether it was clicked.
fn chip(ui: &Ui, id: Id, chip: &Chip, rect: Rect, emoji: &Arc<Galley>, count: &Arc<Galley>) -> bool {
    let theme = theme::of(ui);
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chip.mine, &chip.who));
    let (fill, outline) = match (chip.mine, response.hovered()) {
        (true, _) => (theme.selected, theme.accent),
        (false, true) => (theme.hover, theme.outline),
        (false, false) => (theme.panel, theme.line),
    };
    let stroke = Stroke::new(1.0, outline);
    let round = f32::from(radius::CARD) + 2.0;
    ui.painter().rect(rect, round, fill, stroke, StrokeKind::Inside);
    let colour = if chip.mine { theme.accent } else { theme.text };
    let faint = if chip.waits { theme.weak } else { colour };
    let middle = rect.center().y;
    let at = pos2(rect.left() + CHIP_PAD, middle - emoji.size().y / 2.0);
    ui.painter().galley(at, Arc::clone(emoji), colour);
    let at = pos2(rect.right() - CHIP_PAD - count.size().x, middle - count.size().y / 2.0);
    ui.painter().galley_with_override_text_color(at, Arc::clone(count), faint);
    widgets::focus_ring(ui, &response, theme);
    response.on_hover_text(&chip.who).clicked()
}

/// The button behind the reactions. Returns whether it was clicked.
fn add(ui: &Ui, cx: &Cx, id: Id, rect: Rect) -> bool {
    let theme = theme::of(ui);
    let response = ui.interact(rect, id, Sense::click());
    let name = cx.words.chat.react;
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let fill = if response.hovered() { theme.hover } else { Color32::TRANSPARENT };
    let round = f32::from(radius::CARD) + 2.0;
    ui.painter().rect_filled(rect, round, fill);
    icons::paint(ui.painter(), rect.center(), Icon::React, size::ICON, theme.weak);
    widgets::focus_ring(ui, &response, theme);
    response.on_hover_text(name).clicked()
}
