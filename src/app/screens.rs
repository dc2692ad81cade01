//! What each screen has room for: its size without what panels and docks take.

use egui::{Rect, pos2, vec2};
use winit::window::Window;

/// The rooms that a window may take up, in pixels of the system's own plane; the first screen first. Empty where the
/// window system tells nothing, or places windows itself (Wayland).
pub(super) fn work_areas(window: &Window) -> Vec<Rect> {
    if window.outer_position().is_err() {
        return Vec::new();
    }
    let primary = window.primary_monitor();
    let mut screens: Vec<_> = window.available_monitors().collect();
    screens.sort_by_key(|screen| Some(screen) != primary.as_ref());
    let whole = screens.iter().map(|screen| {
        let (at, size) = (screen.position(), screen.size());
        Rect::from_min_size(pos2(at.x as f32, at.y as f32), vec2(size.width as f32, size.height as f32))
    });
    let whole: Vec<Rect> = whole.filter(|area| area.is_positive()).collect();
    let free = free();
    let areas = whole.iter().map(|screen| {
        // The largest that is free on this screen.
        let parts = free.iter().map(|area| area.intersect(*screen)).filter(|part| part.is_positive());
        parts.max_by(|one, other| one.area().total_cmp(&other.area())).unwrap_or(*screen)
    });
    areas.collect()
}

/// What the window manager says is free of panels: of each screen, or of all in one piece.
#[cfg(all(unix, not(target_os = "macos")))]
fn free() -> Vec<Rect> {
    let asked = x11();
    if let Err(error) = &asked {
        log::debug!("the free part of the screens is not known: {error}");
    }
    asked.unwrap_or_default()
}

#[cfg(all(unix, not(target_os = "macos")))]
fn x11() -> Result<Vec<Rect>, Box<dyn std::error::Error>> {
    use x11rb::connection::Connection as _;
    use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

    /// Most numbers read of a property: four a screen, or four a desktop.
    const MAX_NUMBERS: u32 = 4 * 64;
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection.setup().roots.get(screen).ok_or("no such screen")?.root;
    let read = |name: &str| -> Result<Vec<u32>, Box<dyn std::error::Error>> {
        let atom = connection.intern_atom(true, name.as_bytes())?.reply()?.atom;
        let reply =
            connection.get_property(false, root, atom, AtomEnum::CARDINAL, 0, MAX_NUMBERS)?.reply()?;
        Ok(reply.value32().map(Iterator::collect).unwrap_or_default())
    };
    let desktop = read("_NET_CURRENT_DESKTOP").ok().and_then(|numbers| numbers.first().copied()).unwrap_or(0);
    // Of each screen for itself, where the window manager tells; else the rectangle around all of them.
    let each = read(&format!("_GTK_WORKAREAS_D{desktop}")).unwrap_or_default();
    if !each.is_empty() {
        return Ok(rects(&each));
    }
    let all = rects(&read("_NET_WORKAREA")?);
    Ok(all.get(desktop as usize).or(all.first()).copied().into_iter().collect())
}

#[cfg(all(unix, not(target_os = "macos")))]
fn rects(numbers: &[u32]) -> Vec<Rect> {
    // Cardinals by name, yet screens may lie left of the first.
    let number = |number: u32| number.cast_signed() as f32;
    let rect = |four: &[u32]| match four {
        [x, y, width, height] => {
            Rect::from_min_size(pos2(number(*x), number(*y)), vec2(number(*width), number(*height)))
        }
        _ => Rect::NOTHING,
    };
    numbers.chunks_exact(4).map(rect).filter(|rect| rect.is_positive()).collect()
}

/// What the taskbar leaves of each screen.
#[cfg(windows)]
#[allow(unsafe_code)]
fn free() -> Vec<Rect> {
    use windows_sys::Win32::Foundation::{LPARAM, RECT};
    use windows_sys::Win32::Graphics::Gdi::{
        EnumDisplayMonitors, GetMonitorInfoW, HDC, HMONITOR, MONITORINFO,
    };

    unsafe extern "system" fn add(screen: HMONITOR, _: HDC, _: *mut RECT, areas: LPARAM) -> i32 {
        let mut info = MONITORINFO { cbSize: size_of::<MONITORINFO>() as u32, ..MONITORINFO::default() };
        // SAFETY: `areas` is the vector below, which outlives the call; `info` is ours and says its size.
        unsafe {
            if GetMonitorInfoW(screen, &mut info) != 0 {
                let RECT { left, top, right, bottom } = info.rcWork;
                let area =
                    Rect::from_min_max(pos2(left as f32, top as f32), pos2(right as f32, bottom as f32));
                (*(areas as *mut Vec<Rect>)).push(area);
            }
        }
        1
    }
    let mut areas = Vec::<Rect>::new();
    // SAFETY: the callback runs within the call only, and gets the vector that is borrowed for it.
    unsafe {
        EnumDisplayMonitors(std::ptr::null_mut(), std::ptr::null(), Some(add), (&raw mut areas) as LPARAM);
    }
    areas
}

/// macOS itself keeps windows off the menu bar and the dock.
#[cfg(target_os = "macos")]
fn free() -> Vec<Rect> {
    Vec::new()
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_read_four_numbers_a_screen() {
        let left = (-1920_i32).cast_unsigned();
        let read = rects(&[left, 24, 1920, 1056, 0, 0, 0, 0, 7]);
        assert_eq!(read, [Rect::from_min_size(pos2(-1920.0, 24.0), vec2(1920.0, 1056.0))]);
    }
}
