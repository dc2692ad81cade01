//! Which control the keyboard is on: marked only where the keyboard, or a screen reader, put the focus there. A pointer's
//! click needs no mark (what CSS calls `:focus-visible`). Fields of text show their focus by their own frame.

use egui::{Context, Event, Id, Modifiers, Response, Stroke, StrokeKind, Ui};

use super::theme::{Theme, radius, size};

/// What is remembered between frames.
#[derive(Copy, Clone, Debug, Default)]
struct Memory {
    /// The focus is to be seen.
    is_visible: bool,
    /// The last input came from the keyboard.
    by_keys: bool,
    focused: Option<Id>,
    /// The focus is elsewhere than in the frame before.
    moved: bool,
}

fn memory(ctx: &Context) -> Memory {
    let unknown = Memory { is_visible: true, by_keys: true, ..Memory::default() };
    ctx.data(|data| data.get_temp(Id::unique("focus mark"))).unwrap_or(unknown)
}

/// Takes this frame's input in; once a frame, before anything is drawn.
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
    // Where a shortcut leads is to be seen too; where it only does something, nothing lights up.
    memory.is_visible |= memory.by_keys && memory.moved;
    ctx.data_mut(|data| data.insert_temp(Id::unique("focus mark"), memory));
}

fn is_plain(held: Modifiers) -> bool {
    !held.ctrl && !held.alt && !held.command
}

/// Whether what has the focus is to be marked.
pub(super) fn is_visible(ctx: &Context) -> bool {
    memory(ctx).is_visible
}

/// Whether this has the focus, by the keyboard.
pub(super) fn is_on(response: &Response) -> bool {
    response.has_focus() && is_visible(&response.ctx)
}

/// A thin line around a list that the keyboard is on.
pub(super) fn ring(ui: &Ui, response: &Response, theme: &Theme) {
    if is_on(response) {
        let stroke = Stroke::new(2.0, theme.accent);
        let rect = response.rect.shrink(1.0);
        ui.painter().rect_stroke(rect, f32::from(radius::CONTROL), stroke, StrokeKind::Inside);
    }
}

/// Marks the control that the keyboard is on, over whatever it draws itself.
pub(super) fn mark(ctx: &Context) {
    if !is_visible(ctx) || ctx.text_edit_focused() {
        return;
    }
    let focused = ctx.memory(|memory| memory.focused());
    let Some(response) = focused.and_then(|id| ctx.read_response(id)) else { return };
    // A list marks the row that the keyboard is on, and itself where that is none.
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

/// Scrolls to what the keyboard went to, if that is in what `ui` scrolls. To be called at the end of its contents.
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
