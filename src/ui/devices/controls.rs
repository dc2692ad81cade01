//! Above the list: how many devices are how, the filter, and what they are sorted and grouped by.

use egui::containers::menu::MenuButton;
use egui::{Align, Frame, Id, Key, Label, Layout, Margin, RichText, TextEdit, Ui, vec2};

use super::order::{Grouping, Order, Sort, View};
use super::standing::Standing;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, widgets};

/// What the keyboard wants of the list while it is in the filter.
#[derive(Default)]
pub(super) struct Wish {
    /// To be in it.
    pub(super) into_list: bool,
    /// To open the first device.
    pub(super) open_first: bool,
}

/// Draws them. Counts are those of the last frame's order.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx, view: &mut View, order: &Order, standings: &[Standing]) -> Wish {
    let mut wish = Wish::default();
    let margin = Margin { left: space::LARGE as i8, right: space::LARGE as i8, top: 0, bottom: 4 };
    Frame::new().inner_margin(margin).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        head(ui, cx, order, standings);
        wish = filter(ui, cx, &mut view.filter);
        ui.add_space(space::TINY);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::SMALL;
            ui.spacing_mut().button_padding = vec2(space::TINY, 2.0);
            sorting(ui, cx, view);
            grouping(ui, cx, view);
            if !view.filter.trim().is_empty() {
                let (shown, all) = order.matching();
                quiet(ui, &(cx.words.devices.matches)(shown, all), theme::of(ui).weak);
            }
        });
    });
    wish
}

fn head(ui: &mut Ui, cx: &Cx, order: &Order, standings: &[Standing]) {
    let theme = theme::of(ui);
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), size::BAR), layout, |ui| {
        ui.set_min_height(size::BAR);
        let title = RichText::new(cx.words.devices.devices).font(theme::heading()).color(theme.text);
        ui.add(Label::new(title).selectable(false).extend());
        ui.add_space(space::TINY);
        // With several connections each says for itself how it stands.
        let only = match standings {
            [only] => only.sentence(cx).map(|sentence| (sentence, only.is_down())),
            _ => None,
        };
        match only {
            Some((sentence, true)) => quiet(ui, &sentence, theme.warn),
            Some((sentence, false)) => quiet(ui, &sentence, theme.weak),
            None => quiet(ui, &(cx.words.devices.counts)(&order.counts()), theme.weak),
        }
    });
}

fn quiet(ui: &mut Ui, text: &str, colour: egui::Color32) {
    if !text.is_empty() {
        let text = RichText::new(text).font(theme::small()).color(colour);
        ui.add(Label::new(text).selectable(false).truncate());
    }
}

fn filter(ui: &mut Ui, cx: &Cx, text: &mut String) -> Wish {
    let words = cx.words.devices;
    let id = Id::unique("device filter");
    let field = TextEdit::singleline(text)
        .id(id)
        .hint_text(words.filter)
        .desired_width(f32::INFINITY)
        .align(egui::Align2::LEFT_CENTER)
        .min_size(vec2(0.0, size::CONTROL));
    let field = ui.add(field).accessible_name(words.filter);
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    if !(field.has_focus() || field.lost_focus()) {
        return Wish::default();
    }
    if pressed(Key::Escape) && !text.is_empty() {
        text.clear();
        field.request_focus();
    }
    let down = field.has_focus() && pressed(Key::ArrowDown);
    let enter = field.lost_focus() && pressed(Key::Enter);
    Wish { into_list: down, open_first: enter && !text.trim().is_empty() }
}

fn sorting(ui: &mut Ui, cx: &Cx, view: &mut View) {
    let words = cx.words.devices;
    let name = |sort| match sort {
        Sort::Name => words.sort_name,
        Sort::Status => words.sort_status,
        Sort::Changed => words.sort_changed,
    };
    let theme = theme::of(ui);
    MenuButton::from_button(widgets::link(theme, &(words.sort)(name(view.sort)))).ui(ui, |ui| {
        for sort in [Sort::Name, Sort::Status, Sort::Changed] {
            ui.radio_value(&mut view.sort, sort, name(sort));
        }
    });
}

fn grouping(ui: &mut Ui, cx: &Cx, view: &mut View) {
    let words = cx.words.devices;
    let name = |grouping| match grouping {
        Grouping::None => words.group_none,
        Grouping::Kind => words.group_kind,
        Grouping::Status => words.group_status,
    };
    let theme = theme::of(ui);
    MenuButton::from_button(widgets::link(theme, &(words.group)(name(view.grouping)))).ui(ui, |ui| {
        for grouping in [Grouping::None, Grouping::Kind, Grouping::Status] {
            ui.radio_value(&mut view.grouping, grouping, name(grouping));
        }
    });
}
