//! Fades in things that appear on their own within a tenth of a second, so that they do not startle. Disabled
//! if reduced motion is preferred.

use egui::{Context, Id, Ui};

use super::theme::motion;

/// Enables or disables fading.
pub(super) fn set(ctx: &Context, is_on: bool) {
    ctx.data_mut(|data| data.insert_temp(switch(), is_on));
    let scroll =
        if is_on { egui::style::ScrollAnimation::default() } else { egui::style::ScrollAnimation::none() };
    ctx.all_styles_mut(|style| style.scroll_animation = scroll);
}

fn switch() -> Id {
    Id::unique("fades")
}

/// Fades in what is drawn in `ui` from now on. Starts again if it was absent in the last frame.
pub(super) fn appear(ui: &mut Ui, salt: impl std::hash::Hash + std::fmt::Debug) {
    let (id, is_on) = (Id::unique(("appears", salt)), switch());
    let (pass, now) = (ui.ctx().cumulative_pass_nr(), ui.input(|input| input.time));
    let since = ui.data_mut(|data| {
        if data.get_temp(is_on) == Some(false) {
            return None;
        }
        let known: Option<(u64, f64)> = data.get_temp(id);
        let since = known.filter(|(last, _)| last + 1 >= pass).map_or(now, |(_, since)| since);
        data.insert_temp(id, (pass, since));
        Some(since)
    });
    let Some(since) = since else { return };
    let share = (now - since) as f32 / motion::FADE;
    if share < 1.0 {
        // Not fully transparent, so that a late frame still shows something.
        ui.multiply_opacity(share.clamp(0.15, 1.0));
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(16));
    }
}
