//! The window's position: saved while it is open, and restored within the current screens.

use egui::{Context, Rect, Vec2, ViewportBuilder, pos2, vec2};

use super::screens;
use crate::model::WindowPlace;

/// Minimum size of the window in points, unless the screen is smaller.
pub(super) const MIN_SIZE: Vec2 = vec2(480.0, 360.0);
/// Assumed size of a title bar and frame until the window system reports it, in points.
const FRAME: Vec2 = vec2(2.0, 32.0);
/// How far a window may extend beyond its screen, in pixels: some systems include an invisible border.
const SLACK: f32 = if cfg!(windows) { 10.0 } else { 0.0 };
/// How long after the start the window is fitted again, in seconds: its frame is added later.
const SETTLING_S: f64 = 2.0;
/// How often it is checked during that time, in seconds.
const LOOK_S: f64 = 0.25;

/// Requests the saved position and size.
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

/// Keeps the window on the screens, before it is first shown and until the system has added its frame.
pub(super) struct Fitting {
    /// The usable area of each screen without panels and docks, in pixels.
    areas: Vec<Rect>,
    settled: bool,
}

impl Fitting {
    /// Fits a window that is not shown yet.
    pub(super) fn new(window: Option<&winit::window::Window>, place: Option<&WindowPlace>) -> Fitting {
        let Some(window) = window else { return Fitting { areas: Vec::new(), settled: true } };
        let areas = screens::work_areas(window);
        let scale = window.scale_factor() as f32;
        if let Some(least) = areas.iter().map(|area| area.size()).reduce(Vec2::min) {
            let least = (MIN_SIZE * scale).min(least - FRAME * scale);
            let size = winit::dpi::PhysicalSize::new(least.x as u32, least.y as u32);
            window.set_min_inner_size(Some(size));
        }
        let fitting = Fitting { areas, settled: false };
        if place.is_none_or(|place| !place.maximized) {
            let inner = window.inner_size();
            let size = vec2(inner.width as f32, inner.height as f32) + FRAME * scale;
            let corner = place.and_then(|place| place.corner).map(|(x, y)| pos2(x * scale, y * scale));
            let there = window.outer_position().ok().map(|at| pos2(at.x as f32, at.y as f32));
            if let Some(corner) = corner.or(there) {
                fitting.fit(window, Rect::from_min_size(corner, size), FRAME * scale);
            }
        }
        fitting
    }

    /// Fits the window again while its frame may still change.
    pub(super) fn look(&mut self, ctx: &Context, window: Option<&winit::window::Window>) {
        let Some(window) = window.filter(|_| !self.settled) else { return };
        let (now, maximized) = ctx.input(|input| {
            let viewport = input.viewport();
            (input.time, viewport.maximized == Some(true) || viewport.fullscreen == Some(true))
        });
        self.settled = now > SETTLING_S;
        ctx.request_repaint_after(std::time::Duration::from_secs_f64(LOOK_S));
        let Ok(corner) = window.outer_position() else { return self.settled = true };
        if maximized {
            return;
        }
        let (outer, inner) = (window.outer_size(), window.inner_size());
        let size = vec2(outer.width as f32, outer.height as f32);
        let frame = size - vec2(inner.width as f32, inner.height as f32);
        self.fit(window, Rect::from_min_size(pos2(corner.x as f32, corner.y as f32), size), frame);
    }

    fn fit(&self, window: &winit::window::Window, outer: Rect, frame: Vec2) {
        let Some(fitted) = fitted(outer, &self.areas) else { return };
        log::info!("fitted the window to the screen: {outer:?} to {fitted:?}");
        let inner = (fitted.size() - frame).max(vec2(1.0, 1.0));
        let size = winit::dpi::PhysicalSize::new(inner.x as u32, inner.y as u32);
        if fitted.size() != outer.size() {
            let _ = window.request_inner_size(size);
        }
        window
            .set_outer_position(winit::dpi::PhysicalPosition::new(fitted.min.x as i32, fitted.min.y as i32));
    }
}

/// The position of a window that is partly off the screens: on the screen that shows most of it, or the first; no
/// larger than that screen. `None` if it is fully visible, even across several screens.
fn fitted(outer: Rect, areas: &[Rect]) -> Option<Rect> {
    let shown = |area: &Rect| {
        let part = outer.intersect(*area);
        if part.is_positive() { part.area() } else { 0.0 }
    };
    let is_within = |area: &Rect| {
        let slack = area.expand2(vec2(SLACK, 0.0)).with_max_y(area.bottom() + SLACK);
        slack.contains_rect(outer)
    };
    // Mirrored screens would count twice.
    let whole: f32 = areas.iter().map(shown).sum();
    if areas.is_empty() || areas.iter().any(is_within) || whole >= outer.area() - 1.0 && !overlap(areas) {
        return None;
    }
    let first = areas.first().copied();
    let most = areas.iter().copied().filter(|area| shown(area) > 0.0);
    let area = most.max_by(|one, other| shown(one).total_cmp(&shown(other))).or(first)?;
    let size = outer.size().min(area.size());
    let corner = outer.min.max(area.min).min(area.max - size);
    Some(Rect::from_min_size(corner, size))
}

fn overlap(areas: &[Rect]) -> bool {
    areas
        .iter()
        .enumerate()
        .any(|(at, one)| areas[at + 1..].iter().any(|other| one.intersect(*other).is_positive()))
}

/// Records the window's position. A maximised or hidden window keeps its previous one.
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

    fn rect(x: f32, y: f32, width: f32, height: f32) -> Rect {
        Rect::from_min_size(pos2(x, y), vec2(width, height))
    }

    #[test]
    fn a_fully_visible_window_is_not_moved() {
        let screens = [rect(0.0, 0.0, 1280.0, 800.0), rect(1280.0, -200.0, 1920.0, 1080.0)];
        for inside in [
            rect(0.0, 0.0, 1280.0, 800.0),
            rect(1500.0, -200.0, 800.0, 600.0),
            // Across both screens.
            rect(1000.0, 100.0, 800.0, 600.0),
        ] {
            assert_eq!(fitted(inside, &screens), None, "{inside:?}");
        }
        assert_eq!(fitted(rect(5.0, 5.0, 10.0, 10.0), &[]), None, "the screens are unknown");
    }

    #[test]
    fn a_partly_visible_window_moves_to_the_screen_that_shows_most_of_it() {
        let screens = [rect(0.0, 0.0, 1280.0, 800.0), rect(1280.0, -200.0, 1920.0, 1080.0)];
        for (before, after) in [
            // Partly outside on each side.
            (rect(-40.0, 30.0, 800.0, 600.0), rect(0.0, 30.0, 800.0, 600.0)),
            (rect(0.0, 795.0, 800.0, 600.0), rect(0.0, 200.0, 800.0, 600.0)),
            (rect(2900.0, 700.0, 800.0, 600.0), rect(2400.0, 280.0, 800.0, 600.0)),
            // On no screen.
            (rect(9000.0, 9000.0, 800.0, 600.0), rect(480.0, 200.0, 800.0, 600.0)),
            // Larger than its screen.
            (rect(1300.0, -100.0, 2600.0, 1600.0), rect(1280.0, -200.0, 1920.0, 1080.0)),
        ] {
            assert_eq!(fitted(before, &screens), Some(after), "{before:?}");
        }
        // The second screen was unplugged, and a panel takes the top of the first.
        let left = [rect(0.0, 24.0, 1024.0, 744.0)];
        assert_eq!(fitted(rect(2900.0, 100.0, 1024.0, 768.0), &left), Some(left[0]));
    }

    #[test]
    fn mirrored_screens_count_once() {
        let both = [rect(0.0, 0.0, 1024.0, 768.0), rect(0.0, 0.0, 1024.0, 768.0)];
        let half_outside = rect(0.0, 384.0, 1024.0, 768.0);
        assert_eq!(fitted(half_outside, &both), Some(both[0]));
    }

    #[test]
    fn an_invalid_size_is_not_requested() {
        let at = |corner| WindowPlace { width: 800.0, height: 600.0, corner: Some(corner), maximized: false };
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
