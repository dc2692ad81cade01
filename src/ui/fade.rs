//! What appears by itself fades in within a tenth of a second, so that it does not startle; at once where less motion is
//! wanted.

use egui::{Context, Id, Ui};

use super::theme::motion;

/// Whether anything fades.
pub(super) fn set(ctx: &Context, is_on: bool) {
    ctx.data_mut(|data| data.insert_temp(switch(), is_on));
    let scroll =
        if is_on { egui::style::ScrollAnimation::default() } else { egui::style::ScrollAnimation::none() };
    ctx.all_styles_mut(|style| style.scroll_animation = scroll);
}

fn switch() -> Id {
    Id::unique("fades")
}

/// Draws what follows in `ui` fainter while it appears. Once it was away, it appears anew.
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
        // Never quite unseen: a frame that comes late would show nothing.
        ui.multiply_opacity(share.clamp(0.15, 1.0));
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(16));
    }
}
