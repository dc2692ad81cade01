//! What is said above the message field to the person alone: what a command did, or why it did nothing.

use egui::{Align, Frame, Label, Layout, Margin, RichText, Ui};

use super::slash::Notice;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, radius, space};
use crate::ui::{Cx, widgets};

/// What a person does with a notice.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing yet.
    None,
    /// They have read it, or do not want what it asks.
    Close,
    /// They confirm what it asks.
    Confirm,
}

/// Draws a notice.
pub(super) fn show(ui: &mut Ui, cx: &Cx, notice: &Notice) -> Answer {
    let theme = theme::of(ui);
    let (ground, colour) = match (notice.is_bad, &notice.ask) {
        (true, _) => (theme.bad_ground, theme.bad),
        (false, Some(_)) => (theme.warn_ground, theme.text),
        (false, None) => (theme.hover, theme.text),
    };
    let mut answer = Answer::None;
    let frame = Frame::new()
        .fill(ground)
        .corner_radius(radius::CONTROL)
        .inner_margin(Margin::symmetric(space::SMALL as i8, 2));
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_button(ui, Icon::Close, cx.words.dismiss, cx.words.dismiss, false).clicked() {
                answer = Answer::Close;
            }
            if let Some((label, _)) = &notice.ask
                && ui.add(widgets::plain(label)).clicked()
            {
                answer = Answer::Confirm;
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = RichText::new(&notice.text).font(theme::small()).color(colour);
                let said = ui.add(Label::new(text).wrap());
                widgets::live(ui, said.id, &notice.text);
            });
        });
    });
    ui.add_space(space::TINY);
    answer
}
