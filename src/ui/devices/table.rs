//! The table of devices: choice and width of its columns, its header, and its rows.

use std::sync::Arc;

use egui::accesskit::{Role, SortDirection};
use egui::containers::menu::{MenuButton, MenuConfig};
use egui::scroll_area::ScrollArea;
use egui::{
    Button, CursorIcon, Id, PopupCloseBehavior, Rect, RichText, Sense, Stroke, TextEdit, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use super::order::Section;
use super::paint::{self, Pen};
use super::rows::{Row, StatusText};
use super::view::{Grouping, Sort, View};
use crate::model::device::{MetricName, MetricType};
use crate::model::id::ConnectionId;
use crate::model::panes::{DeviceLists, DeviceTable};
use crate::model::search::fold::folded_name;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, widgets};

/// Minimum width of a column, in points.
const MIN_COLUMN: f32 = 64.0;
/// Minimum width of a reading without its own column, including its name, in points.
const MIN_OTHER_SLOT: f32 = 136.0;
/// Readings without a column are shown if at least this much width is left, in points.
const MIN_OTHERS: f32 = 220.0;
/// Maximum width of a column resized by the person, in points.
const MAX_COLUMN: f32 = 600.0;
/// Default width of a value's column, in points.
const VALUE_COLUMN: f32 = 118.0;
/// Maximum width to which a value's column grows to fill the table, in points.
const MAX_VALUE_COLUMN: f32 = 168.0;
/// The kind has a column in tables at least this wide, in points.
const MIN_WIDTH_WITH_KIND: f32 = 900.0;
/// Width of the button that opens the column chooser, in points.
const CHOOSER_WIDTH: f32 = 32.0;
/// Maximum number of columns shown by default.
const MAX_USUAL: usize = 12;
/// Maximum number of columns that can be chosen.
const MAX_CHOSEN: usize = 64;
/// Maximum number of metrics listed in the chooser at once; the search finds the rest.
const MAX_LISTED: usize = 200;
/// Distance from a column's edge at which it can be dragged, in points.
const GRIP_DISTANCE: f32 = 4.0;
/// Keys of the fixed columns. The leading space keeps them distinct from metrics, whose names are trimmed.
const NAME_KEY: &str = " name";
const STATE_KEY: &str = " state";
const KIND_KEY: &str = " kind";
const OTHERS_KEY: &str = " others";

/// Content of a column.
#[derive(Clone, Debug, PartialEq)]
enum Content {
    Name,
    State,
    Kind,
    /// The reading with this index, and whether it is numeric.
    Metric(usize, bool),
    /// Readings without their own column, each with its name.
    Others,
}

/// A column.
#[derive(Clone, Debug)]
struct Column {
    content: Content,
    /// Key under which its width is saved.
    key: String,
    title: String,
    /// Sort order selected by a click on its title.
    sort: Option<Sort>,
    left: f32,
    width: f32,
}

/// The columns for the devices of one connection.
pub(super) struct Table {
    connection: ConnectionId,
    columns: Vec<Column>,
    /// The metrics that have a column.
    pub(super) metrics: Arc<[MetricName]>,
    /// Number of chosen columns that do not fit.
    left_out: usize,
}

impl Table {
    /// Chosen columns, or default ones that fit the width.
    pub(super) fn of(
        cx: &Cx,
        section: &mut Section,
        chosen: Option<&DeviceTable>,
        view: &View,
        width: f32,
    ) -> Table {
        let words = cx.words.devices;
        let kept = |key: &str, usual: f32| {
            let own = chosen.and_then(|chosen| chosen.widths.get(key)).copied();
            own.map_or(usual, |own| if own.is_finite() { own.clamp(MIN_COLUMN, MAX_COLUMN) } else { usual })
        };
        let mut columns: Vec<Column> = Vec::new();
        let mut left = 0.0;
        let mut add = |content: Content, key: &str, title: String, sort: Sort, width: f32| {
            columns.push(Column { content, key: key.to_owned(), title, sort: Some(sort), left, width });
            left += width;
            left
        };
        let name = kept(NAME_KEY, (width * 0.24).clamp(150.0, 320.0));
        add(Content::Name, NAME_KEY, words.column_name.to_owned(), Sort::Name, name);
        let state = kept(STATE_KEY, if width < MIN_WIDTH_WITH_KIND { 128.0 } else { 168.0 });
        let mut end = add(Content::State, STATE_KEY, words.column_state.to_owned(), Sort::Trouble, state);
        if width >= MIN_WIDTH_WITH_KIND && section.kinds > 0 && view.grouping != Grouping::Kind {
            let kind = kept(KIND_KEY, 110.0);
            end = add(Content::Kind, KIND_KEY, words.column_kind.to_owned(), Sort::Kind, kind);
        }
        let room = (width - end - CHOOSER_WIDTH).max(0.0);
        let Chosen { names, left_out, has_others } =
            chosen_metrics(section, chosen, room, |n| kept(n, VALUE_COLUMN));
        // Spare width is distributed evenly over the value columns.
        let used: f32 = names.iter().map(|name| kept(name.as_str(), VALUE_COLUMN)).sum();
        let spare = (room - used).max(0.0) / names.len().max(1) as f32;
        let usual = if has_others {
            VALUE_COLUMN
        } else {
            (VALUE_COLUMN + spare).clamp(VALUE_COLUMN, MAX_VALUE_COLUMN)
        };
        for (at, name) in names.iter().enumerate() {
            let is_number = section.tally.kind(name.as_str()).is_none_or(|kind| kind == MetricType::Number);
            let title = harmless::line(name.as_str(), 64);
            let sort = Sort::Metric(name.clone());
            end = add(Content::Metric(at, is_number), name.as_str(), title, sort, kept(name.as_str(), usual));
        }
        if has_others {
            columns.push(Column {
                content: Content::Others,
                key: OTHERS_KEY.to_owned(),
                title: words.column_others.to_owned(),
                sort: None,
                left: end,
                width: (width - CHOOSER_WIDTH - end).max(MIN_COLUMN),
            });
        }
        Table { connection: section.connection, columns, metrics: names.into(), left_out }
    }

    /// Number of other readings that fit after the columns.
    pub(super) fn others(&self) -> usize {
        let others = self.columns.iter().find(|column| column.content == Content::Others);
        others.map_or(0, |column| (column.width / MIN_OTHER_SLOT).ceil() as usize + 1)
    }

    /// Whether it belongs to this connection.
    pub(super) fn is_of(&self, connection: ConnectionId) -> bool {
        self.connection == connection
    }

    /// Draws the header. Changes are written to `view` and `lists`.
    pub(super) fn header(
        &self,
        ui: &mut Ui,
        cx: &Cx,
        rect: Rect,
        section: &mut Section,
        (view, lists, search): (&mut View, &mut DeviceLists, &mut String),
    ) {
        let theme = theme::of(ui);
        ui.painter().rect_filled(rect, 0.0, theme.panel);
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, theme.line));
        let scope = Id::unique(("columns of devices", self.connection));
        for column in &self.columns {
            let left = rect.left() + paint::EDGE + column.left;
            let cell = Rect::from_x_y_ranges(left..=left + column.width, rect.y_range());
            title(ui, cx, scope, column, cell, view);
        }
        for column in self.columns.iter().filter(|column| column.sort.is_some()) {
            let x = rect.left() + paint::EDGE + column.left + column.width;
            if let Some(width) = edge(ui, cx, scope.with(&column.key), (x, rect), column) {
                lists.table_mut(self.connection).widths.insert(column.key.clone(), width);
            }
        }
        self.choice(ui, cx, rect, section, (lists, search));
    }

    /// Draws the button of the column chooser.
    fn choice(
        &self,
        ui: &mut Ui,
        cx: &Cx,
        rect: Rect,
        section: &mut Section,
        (lists, search): (&mut DeviceLists, &mut String),
    ) {
        let words = cx.words.devices;
        let theme = theme::of(ui);
        let place =
            Rect::from_min_max(pos2(rect.right() - CHOOSER_WIDTH, rect.top() + 1.0), rect.right_bottom());
        let builder = UiBuilder::new().max_rect(place).id_salt(("choose columns", self.connection));
        let mut corner = ui.new_child(builder);
        let button = Button::new("").frame_when_inactive(false).min_size(place.size());
        let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let (response, _) = MenuButton::from_button(button).config(config).ui(&mut corner, |ui| {
            self.menu(ui, cx, section, lists, search);
        });
        icons::paint(ui.painter(), place.center(), Icon::Settings, size::ICON - 2.0, theme.weak);
        let hint = match self.left_out {
            0 => words.columns.to_owned(),
            count => (words.columns_left_out)(count),
        };
        if self.left_out > 0 {
            ui.painter().circle_filled(place.right_top() + vec2(-9.0, 8.0), 3.0, theme.warn);
        }
        response.on_hover_text(&hint).accessible_name(hint);
    }

    fn menu(
        &self,
        ui: &mut Ui,
        cx: &Cx,
        section: &mut Section,
        lists: &mut DeviceLists,
        search: &mut String,
    ) {
        let words = cx.words.devices;
        ui.set_min_width(240.0);
        let field = TextEdit::singleline(search).hint_text(words.find_column).desired_width(f32::INFINITY);
        ui.add(field).accessible_name(words.find_column);
        let wanted = folded_name(search);
        let chosen = lists.table(self.connection).and_then(|table| table.columns.clone());
        let mut columns: Vec<String> = match &chosen {
            Some(chosen) => chosen.clone(),
            None => self.metrics.iter().map(|name| name.as_str().to_owned()).collect(),
        };
        let mut changed = false;
        ScrollArea::vertical().max_height(320.0).min_scrolled_height(320.0).auto_shrink([false, true]).show(
            ui,
            |ui| {
                let fits = |name: &MetricName| folded_name(name.as_str()).contains(&wanted);
                let mut found = false;
                for (name, count, _) in
                    section.tally.sorted().iter().filter(|(name, ..)| fits(name)).take(MAX_LISTED)
                {
                    found = true;
                    let at = columns.iter().position(|column| column == name.as_str());
                    let mut on = at.is_some();
                    let text = format!("{}  ({count})", harmless::line(name.as_str(), 64));
                    let enabled = on || columns.len() < MAX_CHOSEN;
                    let check = ui.add_enabled(enabled, egui::Checkbox::new(&mut on, text));
                    if check.on_hover_text((words.devices_with)(*count)).changed() {
                        changed = true;
                        match at {
                            Some(at) => drop(columns.remove(at)),
                            None => columns.push(name.as_str().to_owned()),
                        }
                    }
                }
                if !found {
                    ui.add(egui::Label::new(RichText::new(words.no_column).color(theme::of(ui).weak)));
                }
            },
        );
        if changed {
            lists.table_mut(self.connection).columns = Some(columns);
        }
        if chosen.is_some() && ui.add(widgets::plain(words.usual_columns)).clicked() {
            lists.table_mut(self.connection).columns = None;
        }
    }

    /// Draws a device's row.
    pub(super) fn row(&self, ui: &Ui, rect: Rect, row: &mut Row, said: &StatusText, pen: &mut Pen<'_>) {
        let theme = theme::of(ui);
        let middle = rect.center().y;
        let faded = !row.is_live();
        for column in &self.columns {
            let left = rect.left() + column.left;
            let end = left + column.width - space::LARGE;
            match &column.content {
                Content::Name => {
                    paint::mark(ui.painter(), pos2(left + paint::MARK, middle), theme, row.trouble);
                    let colour = if faded { theme.weak } else { theme.text };
                    let at = left + paint::INDENT;
                    let name = row.title_cut.get(ui, &row.title, theme::body(), end - at, pen.generation);
                    ui.painter().galley(pos2(at, middle - name.size().y / 2.0), name, colour);
                }
                Content::State if said.drawn.is_empty() => {}
                Content::State => {
                    let colour = paint::said_colour(theme, row.trouble);
                    let text = widgets::cut(ui, &said.drawn, theme::small(), colour, end - left);
                    ui.painter().galley(pos2(left, middle - text.size().y / 2.0), text, colour);
                }
                Content::Kind => {
                    let kind = row.kind_cut.get(ui, &row.kind, theme::small(), end - left, pen.generation);
                    ui.painter().galley(pos2(left, middle - kind.size().y / 2.0), kind, theme.weak);
                }
                Content::Others => {
                    let others = row.readings.iter_mut().skip(self.metrics.len()).flatten();
                    let slots = (column.width / MIN_OTHER_SLOT).max(1.0).floor();
                    let slot = (column.width / slots).min(1.4 * MIN_OTHER_SLOT);
                    paint::readings(ui, others, (left, left + column.width), middle, slot, faded, pen);
                }
                Content::Metric(at, is_number) => {
                    let Some(Some(shown)) = row.readings.get_mut(*at) else { continue };
                    let colour = paint::value_colour(theme, faded, shown);
                    paint::value(ui, shown, (left, end), middle, *is_number, colour, pen);
                }
            }
        }
    }
}

/// The metrics that get a column.
struct Chosen {
    names: Vec<MetricName>,
    /// Number of chosen metrics that do not fit.
    left_out: usize,
    /// Whether other readings are shown after the columns.
    has_others: bool,
}

/// The metrics chosen by the person; otherwise all if they fit, or those that most devices have.
fn chosen_metrics(
    section: &mut Section,
    chosen: Option<&DeviceTable>,
    room: f32,
    width: impl Fn(&str) -> f32,
) -> Chosen {
    let fitting = |names: &[MetricName], room: f32| {
        let mut used = 0.0;
        let is_too_much = |name: &MetricName| {
            used += width(name.as_str());
            used > room
        };
        names.iter().position(is_too_much).unwrap_or(names.len())
    };
    if let Some(chosen) = chosen.and_then(|chosen| chosen.columns.as_ref()) {
        let named = chosen.iter().take(MAX_CHOSEN).filter_map(|name| MetricName::new(name).ok());
        let mut names: Vec<MetricName> = named.collect();
        let all = names.len();
        names.truncate(fitting(&names, room).max(1));
        return Chosen { left_out: all - names.len(), names, has_others: false };
    }
    let devices = section.counts.all();
    let all = section.tally.sorted();
    let mut names: Vec<MetricName> = all.iter().take(MAX_USUAL).map(|(name, ..)| name.clone()).collect();
    if all.len() <= MAX_USUAL && fitting(&names, room) == names.len() {
        return Chosen { names, left_out: 0, has_others: false };
    }
    // A column that is empty in most rows is less useful than showing the reading with its name.
    let common = all.iter().take(MAX_USUAL).filter(|(_, count, _)| 2 * count >= devices).count();
    names.truncate(common.min(fitting(&names, room - MIN_OTHERS)));
    Chosen { names, left_out: 0, has_others: room >= MIN_OTHERS }
}

/// A column title; a click sorts by it.
fn title(ui: &mut Ui, cx: &Cx, scope: Id, column: &Column, cell: Rect, view: &mut View) {
    let theme = theme::of(ui);
    let id = scope.with(("title", &column.key));
    let sense = if column.sort.is_some() { Sense::click() } else { Sense::hover() };
    let response = ui.interact(cell.shrink2(vec2(GRIP_DISTANCE, 0.0)), id, sense);
    let is_sorted = column.sort.as_ref() == Some(&view.sort);
    response.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, &column.title));
    ui.ctx().accesskit_node_builder(id, |node| {
        if is_sorted {
            let descending = view.reversed;
            let direction = if descending { SortDirection::Descending } else { SortDirection::Ascending };
            node.set_sort_direction(direction);
        }
    });
    let colour = if is_sorted || response.hovered() { theme.text } else { theme.weak };
    let is_number = matches!(column.content, Content::Metric(_, true));
    let arrow = if is_sorted { 14.0 } else { 0.0 };
    let left = cell.left() + if column.content == Content::Name { paint::INDENT } else { 0.0 };
    let end = cell.right() - space::LARGE;
    let text = widgets::cut(ui, &column.title, theme::small(), colour, end - left - arrow);
    let at = if is_number { end - text.size().x } else { left };
    let beside = if is_number { at - 8.0 } else { at + text.size().x + 8.0 };
    ui.painter().galley(pos2(at, cell.center().y - text.size().y / 2.0), text, colour);
    if is_sorted {
        let icon = if view.reversed { Icon::Down } else { Icon::Up };
        icons::paint(ui.painter(), pos2(beside, cell.center().y), icon, 12.0, colour);
    }
    let Some(sort) = &column.sort else { return };
    if response.clicked() {
        view.sort_by(sort.clone());
    }
    response.on_hover_text((cx.words.devices.sort_by)(&column.title));
}

/// The draggable right edge of a column. Returns the new width while it is dragged.
fn edge(ui: &Ui, cx: &Cx, id: Id, (x, rect): (f32, Rect), column: &Column) -> Option<f32> {
    let theme = theme::of(ui);
    let grip = Rect::from_x_y_ranges(x - GRIP_DISTANCE..=x + GRIP_DISTANCE, rect.y_range());
    let response = ui.interact(grip, id.with("edge"), Sense::DRAG);
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Splitter, true, (cx.words.devices.column_width)(&column.title))
    });
    if response.hovered() || response.dragged() {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
        ui.painter().vline(x, rect.y_range(), Stroke::new(1.0, theme.accent));
    }
    let width = column.width + response.drag_delta().x;
    response.dragged().then(|| width.clamp(MIN_COLUMN, MAX_COLUMN))
}
