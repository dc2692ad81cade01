//! The head of the device list: counts by status, the filter, and the sort, group and layout menus.

use egui::containers::menu::MenuButton;
use egui::text::{CCursor, CCursorRange, LayoutJob, TextFormat};
use egui::{Align, Frame, Id, Key, Label, Layout, Margin, RichText, TextEdit, Ui, vec2};

use super::order::Order;
use super::paint;
use super::standing::Standing;
use super::view::{Grouping, Sort, View};
use crate::model::panes::DeviceLayout;
use crate::ui::icons::Icon;
use crate::ui::text::devices::Counts;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, menu, people, widgets};

/// Height of the title line, in points.
const HEAD: f32 = 38.0;

/// What the person requested from the list's head.
#[derive(Default)]
pub(super) struct HeadAction {
    /// Move the focus into the list.
    pub(super) into_list: bool,
    /// Open the first device.
    pub(super) open_first: bool,
    /// Add a device.
    pub(super) add: bool,
}

/// Draws the head. The counts are those of the previous frame.
pub(super) fn show(
    ui: &mut Ui,
    cx: &mut Cx,
    view: &mut View,
    order: &Order,
    standings: &[Standing],
    layout: &mut DeviceLayout,
) -> HeadAction {
    let mut wish = HeadAction::default();
    let margin = Margin { left: space::LARGE as i8, right: space::LARGE as i8, top: 0, bottom: 4 };
    Frame::new().inner_margin(margin).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        let add = head(ui, cx, order, standings);
        wish = filter(ui, cx, &mut view.filter);
        wish.add = add;
        ui.add_space(space::TINY);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = space::SMALL;
            ui.spacing_mut().button_padding = vec2(space::TINY, 2.0);
            sorting(ui, cx, view);
            grouping(ui, cx, view);
            layouts(ui, cx, layout);
            hidden(ui, cx, order.hidden(), &mut view.hidden_too);
            if !view.filter.trim().is_empty() {
                let (shown, all) = order.matching();
                quiet(ui, &(cx.words.devices.matches)(shown, all), theme::of(ui).weak);
            }
        });
    });
    wish
}

/// Draws the title and the counts by status, problems first. Returns whether "Add device" was clicked.
fn head(ui: &mut Ui, cx: &Cx, order: &Order, standings: &[Standing]) -> bool {
    let theme = theme::of(ui);
    let words = cx.words.devices;
    let mut add = false;
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), HEAD), layout, |ui| {
        ui.set_min_height(HEAD);
        let title = RichText::new(words.devices).font(theme::heading()).color(theme.text);
        let title = ui.add(Label::new(title).selectable(false).extend());
        widgets::heading(ui, &title, words.devices, 2);
        ui.add_space(space::TINY);
        // If the only connection is down, its row says so and counts would be stale.
        let is_known = standings.len() != 1 || standings[0].is_live();
        let text = if is_known { counted(cx, theme, &order.counts()) } else { LayoutJob::default() };
        let is_possible = people::add_device::is_possible(cx);
        let room = if is_possible { size::CONTROL + space::SMALL } else { 0.0 };
        if !text.is_empty() {
            ui.scope(|ui| {
                ui.set_max_width((ui.available_width() - room).max(0.0));
                ui.add(Label::new(text).selectable(false).truncate());
            });
        }
        if is_possible {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let name = cx.words.people.add_device;
                add = widgets::icon_button(ui, Icon::Plus, name, name, false).clicked();
            });
        }
    });
    add
}

/// Counts by status, problems in their colours.
fn counted(cx: &Cx, theme: &theme::Theme, counts: &Counts) -> LayoutJob {
    let mut job = LayoutJob::default();
    let words = cx.words.devices;
    for (text, trouble) in words.counts(counts) {
        let colour = paint::said_colour(theme, trouble);
        let separator = if job.is_empty() { "" } else { ", " };
        job.append(separator, 0.0, TextFormat::simple(theme::small(), theme.weak));
        job.append(&text, 0.0, TextFormat::simple(theme::small(), colour));
    }
    job
}

fn quiet(ui: &mut Ui, text: &str, colour: egui::Color32) {
    if !text.is_empty() {
        let text = RichText::new(text).font(theme::small()).color(colour);
        ui.add(Label::new(text).selectable(false).truncate());
    }
}

fn filter_id() -> Id {
    Id::unique("device filter")
}

/// Focuses the filter, with the caret after this many characters.
pub(super) fn focus_filter(ui: &Ui, chars: usize) {
    let id = filter_id();
    let mut state = egui::text_edit::TextEditState::load(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(chars))));
    state.store(ui.ctx(), id);
    ui.memory_mut(|memory| memory.request_focus(id));
}

fn filter(ui: &mut Ui, cx: &Cx, text: &mut String) -> HeadAction {
    let words = cx.words.devices;
    let id = filter_id();
    let field = TextEdit::singleline(text)
        .id(id)
        .hint_text(words.filter)
        .desired_width(f32::INFINITY)
        .align(egui::Align2::LEFT_CENTER)
        .min_size(vec2(0.0, size::CONTROL));
    let field = ui.add(field).accessible_name(words.filter);
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    if !(field.has_focus() || field.lost_focus()) {
        return HeadAction::default();
    }
    if pressed(Key::Escape) && !text.is_empty() {
        text.clear();
        field.request_focus();
    }
    let down = field.has_focus() && pressed(Key::ArrowDown);
    let enter = field.lost_focus() && pressed(Key::Enter);
    HeadAction { into_list: down, open_first: enter && !text.trim().is_empty(), add: false }
}

fn sorting(ui: &mut Ui, cx: &Cx, view: &mut View) {
    let words = cx.words.devices;
    let name = |sort: &Sort| match sort {
        Sort::Trouble => words.sort_trouble.to_owned(),
        Sort::Name => words.sort_name.to_owned(),
        Sort::Changed => words.sort_changed.to_owned(),
        Sort::Kind => words.group_kind.to_owned(),
        Sort::Metric(metric) => harmless::line(metric.as_str(), 40),
    };
    let theme = theme::of(ui);
    MenuButton::from_button(widgets::link(theme, &(words.sort)(&name(&view.sort)))).ui(ui, |ui| {
        for sort in [Sort::Trouble, Sort::Name, Sort::Changed] {
            let text = name(&sort);
            if menu::radio(ui, view.sort == sort && !view.reversed, &text).clicked() {
                (view.sort, view.reversed) = (sort, false);
            }
        }
    });
}

fn grouping(ui: &mut Ui, cx: &Cx, view: &mut View) {
    let words = cx.words.devices;
    let name = |grouping| match grouping {
        Grouping::Own => words.group_own,
        Grouping::None => words.group_none,
        Grouping::Kind => words.group_kind,
        Grouping::Status => words.group_status,
    };
    let theme = theme::of(ui);
    MenuButton::from_button(widgets::link(theme, &(words.group)(name(view.grouping)))).ui(ui, |ui| {
        for grouping in [Grouping::Own, Grouping::None, Grouping::Kind, Grouping::Status] {
            menu::one_of(ui, &mut view.grouping, grouping, name(grouping));
        }
    });
}

fn layouts(ui: &mut Ui, cx: &Cx, layout: &mut DeviceLayout) {
    let words = cx.words.devices;
    let name = |layout| match layout {
        DeviceLayout::Auto => words.layout_auto,
        DeviceLayout::Rows => words.layout_rows,
        DeviceLayout::Table => words.layout_table,
        DeviceLayout::Cards => words.layout_cards,
    };
    let theme = theme::of(ui);
    MenuButton::from_button(widgets::link(theme, &(words.layout)(name(*layout)))).ui(ui, |ui| {
        for one in [DeviceLayout::Auto, DeviceLayout::Rows, DeviceLayout::Table, DeviceLayout::Cards] {
            menu::one_of(ui, layout, one, name(one));
        }
    });
}

/// The number of hidden devices; a click lists them too.
fn hidden(ui: &mut Ui, cx: &Cx, count: usize, shown: &mut bool) {
    if count == 0 {
        return;
    }
    let words = cx.words.devices;
    let text = (if *shown { words.hide_hidden } else { words.hidden })(count);
    let link = ui.add(widgets::link(theme::of(ui), &text));
    if link.on_hover_text(if *shown { &text } else { words.show_hidden }).clicked() {
        *shown = !*shown;
    }
}
