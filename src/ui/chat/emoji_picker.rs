//! The emoji picker: what was used last, then all emoji by groups, with a field to find one by its name. The keyboard stays
//! in the field; arrows move along the emoji.

use std::ops::Range;

use egui::accesskit::Role;
use egui::{
    FontId, Id, Key, Modifiers, Popup, PopupCloseBehavior, Rect, RectAlign, ScrollArea, Sense, Stroke,
    StrokeKind, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use super::RoomKey;
use super::emoji;
use crate::model::id::MessageId;
use crate::model::panes::Composer;
use crate::ui::text::Language;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, widgets};

/// How many emoji stand in a row.
const COLUMNS: usize = 9;
/// Width of an emoji and height of a row, in points.
const CELL: f32 = 34.0;
/// Height of the rows that are seen at once, in points, where there is room.
const MAX_HEIGHT: f32 = 8.0 * CELL;
/// Size of the letters.
const GLYPH: f32 = 21.0;

/// What an emoji is picked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Purpose {
    /// To be put into the message that is typed.
    Insert,
    /// As a reaction to a message.
    React(MessageId),
}

/// The picker's own state.
#[derive(Default)]
pub(super) struct EmojiPicker {
    open: Option<Open>,
}

struct Open {
    room: RoomKey,
    purpose: Purpose,
    anchor: Rect,
    filter: String,
    /// Its emoji, by their places among all.
    cells: Vec<usize>,
    rows: Vec<Row>,
    /// Of what the rows were made.
    made_of: Option<(String, *const crate::ui::text::Words)>,
    /// The cell that the keyboard is on.
    at: usize,
    offset: f32,
    fresh: bool,
}

enum Row {
    Heading(String),
    Cells(Range<usize>),
}

impl EmojiPicker {
    /// Opens it beside something.
    pub(super) fn open(&mut self, room: &RoomKey, purpose: Purpose, anchor: Rect) {
        self.open = Some(Open {
            room: room.clone(),
            purpose,
            anchor,
            filter: String::new(),
            cells: Vec::new(),
            rows: Vec::new(),
            made_of: None,
            at: 0,
            offset: 0.0,
            fresh: true,
        });
    }

    /// Draws it while it is open. Returns what was picked, and whether it was closed in this frame.
    pub(super) fn show(
        &mut self,
        ui: &Ui,
        cx: &mut Cx,
        key: &RoomKey,
        composer: &mut Composer,
    ) -> (Option<(Purpose, &'static str)>, bool) {
        if self.open.as_ref().is_some_and(|open| open.room != *key) {
            self.open = None;
        }
        let Some(open) = &mut self.open else { return (None, false) };
        open.prepare(cx, composer);
        let (mut picked, mut stays) = (None, true);
        Popup::new(Id::unique("emoji picker"), ui.ctx().clone(), open.anchor, ui.layer_id())
            .align(RectAlign::TOP_END)
            .align_alternatives(&[RectAlign::BOTTOM_END, RectAlign::TOP_START, RectAlign::BOTTOM_START])
            .open_bool(&mut stays)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .accessible_name(cx.words.chat.emoji)
            .show(|ui| picked = open.contents(ui, cx));
        let purpose = picked.map(|at| (open.purpose.clone(), emoji::all()[at].emoji.as_str()));
        if let Some((_, emoji)) = &purpose {
            composer.used_emoji(emoji);
        }
        let closes = !stays || purpose.is_some();
        if closes {
            self.open = None;
            cx.deadline.at(cx.now.boot_ms);
        }
        (purpose, closes)
    }
}

impl Open {
    /// Makes the rows, when the filter or the language has changed.
    fn prepare(&mut self, cx: &Cx, composer: &Composer) {
        let made_of = (self.filter.trim().to_owned(), std::ptr::from_ref(cx.words));
        if self.made_of.as_ref() == Some(&made_of) {
            return;
        }
        (self.cells, self.rows, self.at, self.offset) = (Vec::new(), Vec::new(), 0, 0.0);
        let typed = made_of.0.trim_matches(':').to_lowercase();
        self.made_of = Some(made_of);
        if !typed.is_empty() {
            let found = emoji::find(&typed);
            self.section(None, found.into_iter());
            return;
        }
        let place = |sign: &String| {
            let named = emoji::of_sign(sign)?;
            emoji::all().iter().position(|one| std::ptr::eq(one, named))
        };
        let recent: Vec<usize> = composer.emoji.iter().filter_map(place).collect();
        self.section(Some(cx.words.chat.recent_emoji), recent.into_iter());
        for group in emojis::Group::iter() {
            let of_group = emoji::all().iter().enumerate().filter(|(_, named)| named.emoji.group() == group);
            self.section(Some((cx.words.chat.emoji_group)(group)), of_group.map(|(at, _)| at));
        }
    }

    fn section(&mut self, heading: Option<&str>, cells: impl Iterator<Item = usize>) {
        let from = self.cells.len();
        self.cells.extend(cells);
        if self.cells.len() == from {
            return;
        }
        self.rows.extend(heading.map(|heading| Row::Heading(heading.to_owned())));
        let rows = (from..self.cells.len()).step_by(COLUMNS);
        let end = self.cells.len();
        self.rows.extend(rows.map(|at| Row::Cells(at..(at + COLUMNS).min(end))));
    }

    /// Draws the field and the rows. Returns which emoji was picked.
    fn contents(&mut self, ui: &mut Ui, cx: &mut Cx) -> Option<usize> {
        let words = cx.words.chat;
        ui.set_width(COLUMNS as f32 * CELL + size::SCROLL + space::TINY);
        let moved = self.keys(ui);
        let field =
            TextEdit::singleline(&mut self.filter).hint_text(words.find_emoji).desired_width(f32::INFINITY);
        let field = ui.add(field).accessible_name(words.find_emoji);
        if std::mem::take(&mut self.fresh) {
            field.request_focus();
        }
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if field.changed() {
            // The rows are made anew.
            cx.deadline.at(cx.now.boot_ms);
        }
        ui.add_space(space::TINY);
        if self.cells.is_empty() {
            let said = widgets::small_label(ui, words.no_emoji);
            widgets::live(ui, said.id, words.no_emoji);
            return None;
        }
        let height = MAX_HEIGHT.min(ui.ctx().content_rect().height() - 180.0).max(3.0 * CELL);
        if moved {
            self.offset = self.offset_to_see(height);
        }
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        let mut picked = None;
        let mut area =
            ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink(false);
        if moved {
            area = area.vertical_scroll_offset(self.offset);
        }
        let in_korean = cx.words.is(Language::Korean);
        let mut pointed = None;
        let shown = area.show_rows(ui, CELL, self.rows.len(), |ui, range| {
            for row in &self.rows[range] {
                let (rect, _) = ui.allocate_exact_size(vec2(COLUMNS as f32 * CELL, CELL), Sense::hover());
                match row {
                    Row::Heading(text) => heading(ui, rect, text),
                    Row::Cells(cells) => {
                        for (column, at) in cells.clone().enumerate() {
                            let left = rect.left() + column as f32 * CELL;
                            let place = Rect::from_min_size(pos2(left, rect.top()), vec2(CELL, CELL));
                            let named = &emoji::all()[self.cells[at]];
                            let (clicked, hovered) = cell(ui, place, at, named, in_korean, at == self.at);
                            picked = if clicked { Some(self.cells[at]) } else { picked };
                            pointed = if hovered { Some(at) } else { pointed };
                        }
                    }
                }
            }
        });
        self.offset = shown.state.clamped_offset().y;
        let named = &emoji::all()[self.cells[pointed.unwrap_or(self.at)]];
        let name = named.name(in_korean);
        let said = widgets::small_label(ui, name);
        widgets::live(ui, said.id, name);
        if enter { Some(self.cells[self.at]) } else { picked }
    }

    /// Moves by arrows, before the field sees them. Returns whether anything moved.
    fn keys(&mut self, ui: &Ui) -> bool {
        let pressed = |key| ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key)) as isize;
        let along = pressed(Key::ArrowRight) - pressed(Key::ArrowLeft);
        let down = pressed(Key::ArrowDown) - pressed(Key::ArrowUp);
        if (along, down) == (0, 0) || self.cells.is_empty() {
            return false;
        }
        let last = self.cells.len() as isize - 1;
        self.at = (self.at as isize + along + down * COLUMNS as isize).clamp(0, last) as usize;
        true
    }

    /// How far the rows are to be scrolled, so that the current cell is seen.
    fn offset_to_see(&self, height: f32) -> f32 {
        let holds = |row: &Row| matches!(row, Row::Cells(cells) if cells.contains(&self.at));
        let top = self.rows.iter().position(holds).unwrap_or(0) as f32 * CELL;
        // Its heading is seen, too.
        self.offset.min((top - CELL).max(0.0)).max(top + CELL - height)
    }
}

fn heading(ui: &Ui, rect: Rect, text: &str) {
    let theme = theme::of(ui);
    let shown = widgets::cut(ui, text, theme::small(), theme.weak, rect.width());
    let at = pos2(rect.left() + space::TINY, rect.bottom() - shown.size().y - 4.0);
    ui.painter().galley(at, shown, theme.weak);
    let response = ui.interact(rect, Id::unique(("emoji group", text)), Sense::hover());
    widgets::heading(ui, &response, text, 2);
}

/// Draws one emoji. Returns whether it was picked, and whether it is pointed at.
fn cell(
    ui: &Ui,
    rect: Rect,
    at: usize,
    named: &emoji::Named,
    in_korean: bool,
    is_current: bool,
) -> (bool, bool) {
    let theme = theme::of(ui);
    let id = Id::unique(("emoji", at));
    let response = ui.interact(rect, id, Sense::CLICK - Sense::FOCUSABLE);
    response.widget_info(|| WidgetInfo::labeled(Role::ListBoxOption, true, named.name(in_korean)));
    ui.ctx().accesskit_node_builder(id, |node| node.set_selected(is_current));
    let inner = rect.shrink(2.0);
    if response.hovered() {
        ui.painter().rect_filled(inner, f32::from(radius::CONTROL), theme.hover);
    }
    if is_current {
        let stroke = Stroke::new(1.5, theme.accent);
        ui.painter().rect_stroke(inner, f32::from(radius::CONTROL), stroke, StrokeKind::Inside);
    }
    let galley =
        ui.painter().layout_no_wrap(named.emoji.as_str().to_owned(), FontId::proportional(GLYPH), theme.text);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme.text);
    (response.clicked(), response.hovered())
}
