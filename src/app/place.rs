//! Where the window stands: noted while it is open, and taken up again where a screen still has it.

use egui::{Context, Rect, Vec2, ViewportBuilder, ViewportCommand, pos2, vec2};

use crate::model::WindowPlace;

/// A screen of this computer, in the system's points.
pub(super) struct Screen {
    /// Its upper left corner.
    pub(super) corner: (f32, f32),
    /// Its width and height.
    pub(super) size: (f32, f32),
}

/// The least of a window's title that must be on a screen, so that a hand can take it.
const GRIP: Vec2 = vec2(80.0, 16.0);
/// How high a title is, about.
const TITLE: f32 = 28.0;

/// Asks for the window as it was.
pub(super) fn restore(viewport: ViewportBuilder, place: &WindowPlace) -> ViewportBuilder {
    let size = [place.width, place.height];
    if !size.iter().all(|side| (100.0..=20_000.0).contains(side)) {
        return viewport;
    }
    let viewport = viewport.with_inner_size(size).with_maximized(place.maximized);
    match place.corner {
        Some((x, y)) if x.is_finite() && y.is_finite() => viewport.with_position([x, y]),
        _ => viewport,
    }
}

/// Brings a window onto the first screen whose own screen is gone.
pub(super) fn bring_back(ctx: &Context, place: &WindowPlace, screens: &[Screen]) {
    if let (false, Some(first)) = (is_in_reach(place, screens), screens.first()) {
        let corner = pos2(first.corner.0 + 32.0, first.corner.1 + 32.0);
        ctx.send_viewport_cmd(ViewportCommand::OuterPosition(corner));
    }
}

/// Whether a hand can take the window by its title. One without a known corner stands where the system put it.
fn is_in_reach(place: &WindowPlace, screens: &[Screen]) -> bool {
    let Some((x, y)) = place.corner else { return true };
    let title = Rect::from_min_size(pos2(x, y), vec2(place.width, TITLE));
    screens.iter().any(|screen| {
        let screen = Rect::from_min_size(screen.corner.into(), screen.size.into());
        let seen = title.intersect(screen);
        seen.width() >= GRIP.x && seen.height() >= GRIP.y
    })
}

/// Notes where the window stands now. A maximised or hidden one keeps the place it had before.
pub(super) fn note(ctx: &Context, place: &mut Option<WindowPlace>) {
    let (zoom, now) = (ctx.zoom_factor(), ctx.input(|input| input.viewport().clone()));
    let hidden = now.minimized == Some(true) || now.fullscreen == Some(true);
    let Some(inner) = now.inner_rect.filter(|_| !hidden) else { return };
    if now.maximized == Some(true) && place.is_some() {
        if let Some(place) = place {
            place.maximized = true;
        }
        return;
    }
    let size = (inner.size() * zoom).round();
    let corner = now.outer_rect.map(|outer| (outer.min.x * zoom, outer.min.y * zoom));
    *place =
        Some(WindowPlace { width: size.x, height: size.y, corner, maximized: now.maximized == Some(true) });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(corner: (f32, f32)) -> WindowPlace {
        WindowPlace { width: 800.0, height: 600.0, corner: Some(corner), maximized: false }
    }

    #[test]
    fn a_window_is_in_reach_while_its_title_is_on_a_screen() {
        let screens = [
            Screen { corner: (0.0, 0.0), size: (1280.0, 800.0) },
            Screen { corner: (1280.0, -200.0), size: (1920.0, 1080.0) },
        ];
        for inside in [(0.0, 0.0), (1200.0, 20.0), (2500.0, -180.0), (-700.0, 300.0)] {
            assert!(is_in_reach(&at(inside), &screens), "{inside:?}");
        }
        for outside in [(-790.0, 0.0), (0.0, 795.0), (3200.0, 0.0), (0.0, -300.0)] {
            assert!(!is_in_reach(&at(outside), &screens), "{outside:?}");
        }
        // The second screen is unplugged.
        assert!(!is_in_reach(&at((2500.0, -180.0)), &screens[..1]));
        assert!(is_in_reach(&WindowPlace { corner: None, ..at((0.0, 0.0)) }, &screens));
    }

    #[test]
    fn a_size_that_makes_no_sense_is_not_asked_for() {
        let usual = ViewportBuilder::default().with_inner_size([1280.0, 800.0]);
        let odd = WindowPlace { width: f32::NAN, ..at((0.0, 0.0)) };
        assert_eq!(restore(usual.clone(), &odd), usual);
        let restored = restore(usual, &at((5.0, 6.0)));
        assert_eq!(
            (restored.inner_size, restored.position),
            (Some(vec2(800.0, 600.0)), Some(pos2(5.0, 6.0)))
        );
    }
}
