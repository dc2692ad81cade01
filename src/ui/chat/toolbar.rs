//! The toolbar of the message under the pointer, or of the one that the keyboard is on.

use egui::{Align, Button, Id, Layout, Rect, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2, pos2, vec2};

use super::acts::Act;
use crate::ui::icons;
use crate::ui::keys;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, widgets};

/// Side of a button, in points.
const BUTTON: f32 = 26.0;
/// Between the frame and its buttons, in points.
const PAD: f32 = 2.0;

/// Where it stands at a message that has this place.
pub(super) fn place(list: Rect, message: Rect, buttons: usize) -> Rect {
    let size = vec2(buttons as f32 * BUTTON, BUTTON) + Vec2::splat(2.0 * PAD);
    let right = list.right() - size::SCROLL - space::LARGE;
    // Above the message as far as that is within the list.
    let top = (message.top() - size.y + space::SMALL).max(list.top());
    Rect::from_min_size(pos2(right - size.x, top), size)
}

/// Draws it. Returns what was chosen, and beside which place. Its buttons take no focus: with the keyboard there are the
/// menu and keys.
pub(super) fn show(ui: &mut Ui, cx: &Cx, id: Id, rect: Rect, acts: &[Act]) -> Option<(Act, Rect)> {
    let theme = theme::of(ui);
    let corner = f32::from(radius::CONTROL);
    ui.painter().rect(rect, corner, theme.raised, Stroke::new(1.0, theme.outline), StrokeKind::Inside);
    // What is below is not clicked through it.
    ui.interact(rect, id, Sense::CLICK - Sense::FOCUSABLE);
    let builder = UiBuilder::new()
        .max_rect(rect.shrink(PAD))
        .scope_id(id.with("buttons"))
        .layout(Layout::left_to_right(Align::Center));
    let mut bar = ui.new_child(builder);
    bar.spacing_mut().item_spacing.x = 0.0;
    bar.spacing_mut().button_padding = Vec2::ZERO;
    let mut chosen = None;
    for act in acts {
        let name = act.name(cx.words);
        let hint = act.action().map_or_else(|| name.to_owned(), |action| keys::hint(bar.ctx(), name, action));
        let button = Button::new("")
            .frame_when_inactive(false)
            .min_size(Vec2::splat(BUTTON))
            .sense(Sense::CLICK - Sense::FOCUSABLE);
        let response = bar.add(button);
        icons::paint(bar.painter(), response.rect.center(), act.icon(), size::ICON, theme.text);
        let response = response.on_hover_text(hint);
        widgets::named(&bar, &response, name);
        if response.clicked() {
            chosen = Some((*act, response.rect));
        }
    }
    chosen
}
