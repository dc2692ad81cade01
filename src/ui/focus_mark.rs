//! The focus ring. Drawn only if the focus was set by keyboard or a screen reader, not by a click (like CSS
//! `:focus-visible`). Text fields show the focus by their own frame.

use egui::{Context, Event, Id, Modifiers, Response, Stroke, StrokeKind, Ui};

use super::theme::{Theme, radius, size};

/// State kept between frames.
#[derive(Copy, Clone, Debug, Default)]
struct Memory {
    /// Whether the ring is shown.
    is_visible: bool,
    /// Whether the last input came from the keyboard.
    by_keys: bool,
    focused: Option<Id>,
    /// Whether the focus moved in this frame.
    moved: bool,
}

fn memory(ctx: &Context) -> Memory {
    let unknown = Memory { is_visible: true, by_keys: true, ..Memory::default() };
    ctx.data(|data| data.get_temp(Id::unique("focus mark"))).unwrap_or(unknown)
}

/// Updates the state from this frame's input. Call once per frame, before drawing.
pub(super) fn note(ctx: &Context) {
    let mut memory = memory(ctx);
    let pressed = ctx.input(|input| {
        let mut pressed = None;
        for event in &input.events {
            match event {
                Event::PointerButton { pressed: true, .. } | Event::Touch { .. } => {
                    pressed = Some((false, false))
                }
                Event::Key { pressed: true, modifiers, .. } => pressed = Some((true, is_plain(*modifiers))),
                Event::AccessKitActionRequest(_) => pressed = Some((true, true)),
                _ => {}
            }
        }
        pressed
    });
    let focused = ctx.memory(|memory| memory.focused());
    memory.moved = std::mem::replace(&mut memory.focused, focused) != focused;
    if let Some((by_keys, is_plain)) = pressed {
        memory.by_keys = by_keys;
        memory.is_visible = by_keys && (is_plain || memory.is_visible);
    }
    // A shortcut that moves the focus shows the ring; one that does not leaves it as it is.
    memory.is_visible |= memory.by_keys && memory.moved;
    ctx.data_mut(|data| data.insert_temp(Id::unique("focus mark"), memory));
}

fn is_plain(held: Modifiers) -> bool {
    !held.ctrl && !held.alt && !held.command
}

/// Whether the focus ring is shown.
pub(super) fn is_visible(ctx: &Context) -> bool {
    memory(ctx).is_visible
}

/// Whether this widget has the focus and shows the ring.
pub(super) fn is_on(response: &Response) -> bool {
    response.has_focus() && is_visible(&response.ctx)
}

/// A thin outline around a focused list.
pub(super) fn ring(ui: &Ui, response: &Response, theme: &Theme) {
    if is_on(response) {
        let stroke = Stroke::new(2.0, theme.accent);
        let rect = response.rect.shrink(1.0);
        ui.painter().rect_stroke(rect, f32::from(radius::CONTROL), stroke, StrokeKind::Inside);
    }
}

/// Draws the ring around the focused widget, on top of everything.
pub(super) fn mark(ctx: &Context) {
    if !is_visible(ctx) || ctx.text_edit_focused() {
        return;
    }
    let focused = ctx.memory(|memory| memory.focused());
    let Some(response) = focused.and_then(|id| ctx.read_response(id)) else { return };
    // A list draws the ring around its current row, or around itself if it has none.
    if !response.sense.senses_click() && !response.sense.senses_drag() {
        return;
    }
    let visible = response.interact_rect;
    let inside = response.rect.height() > 2.0 * size::BAR || visible != response.rect;
    let rect = if inside { visible.shrink(1.0) } else { visible.expand(2.0) };
    let accent = ctx.global_style().visuals.hyperlink_color;
    let corner = f32::from(radius::CONTROL) + if inside { 0.0 } else { 2.0 };
    let painter = ctx.layer_painter(response.layer_id);
    painter.rect_stroke(rect, corner, Stroke::new(2.0, accent), StrokeKind::Inside);
}

/// Scrolls to the focused widget if it is within the scroll area of `ui`. Call at the end of its contents.
pub(super) fn follow(ui: &Ui) {
    let memory = memory(ui.ctx());
    if !memory.moved || !memory.by_keys {
        return;
    }
    let Some(response) = memory.focused.and_then(|id| ui.ctx().read_response(id)) else { return };
    let is_inside = response.layer_id == ui.layer_id() && ui.min_rect().intersects(response.rect);
    if is_inside && !ui.clip_rect().contains_rect(response.rect) {
        ui.scroll_to_rect(response.rect.expand(f32::from(radius::CARD)), None);
    }
}
