//! The usable area of each screen: its size without panels and docks.

use egui::{Rect, pos2, vec2};
use winit::window::Window;

/// The areas that a window may use, in pixels of the system's coordinate space; the primary screen first. Empty if
/// the window system does not report them or places windows itself (Wayland).
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
        // The largest free part of this screen.
        let parts = free.iter().map(|area| area.intersect(*screen)).filter(|part| part.is_positive());
        parts.max_by(|one, other| one.area().total_cmp(&other.area())).unwrap_or(*screen)
    });
    areas.collect()
}

/// The area free of panels according to the window manager: per screen, or for all in one rectangle.
#[cfg(all(unix, not(target_os = "macos")))]
fn free() -> Vec<Rect> {
    let asked = x11();
    if let Err(error) = &asked {
        log::debug!("cannot determine the usable screen area: {error}");
    }
    asked.unwrap_or_default()
}

#[cfg(all(unix, not(target_os = "macos")))]
fn x11() -> Result<Vec<Rect>, Box<dyn std::error::Error>> {
    use x11rb::connection::Connection as _;
    use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

    /// Maximum number of values read of a property: four per screen or per desktop.
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
    // Per screen if the window manager reports it, otherwise the rectangle around all.
    let each = read(&format!("_GTK_WORKAREAS_D{desktop}")).unwrap_or_default();
    if !each.is_empty() {
        return Ok(rects(&each));
    }
    let all = rects(&read("_NET_WORKAREA")?);
    Ok(all.get(desktop as usize).or(all.first()).copied().into_iter().collect())
}

#[cfg(all(unix, not(target_os = "macos")))]
fn rects(numbers: &[u32]) -> Vec<Rect> {
    // The type is CARDINAL, but coordinates may be negative.
    let number = |number: u32| number.cast_signed() as f32;
    let rect = |four: &[u32]| match four {
        [x, y, width, height] => {
            Rect::from_min_size(pos2(number(*x), number(*y)), vec2(number(*width), number(*height)))
        }
        _ => Rect::NOTHING,
    };
    numbers.chunks_exact(4).map(rect).filter(|rect| rect.is_positive()).collect()
}

/// What the taskbar leaves free on each screen.
#[cfg(windows)]
#[allow(unsafe_code)]
fn free() -> Vec<Rect> {
    use windows_sys::Win32::Foundation::{LPARAM, RECT};
    use windows_sys::Win32::Graphics::Gdi::{
        EnumDisplayMonitors, GetMonitorInfoW, HDC, HMONITOR, MONITORINFO,
    };

    unsafe extern "system" fn add(screen: HMONITOR, _: HDC, _: *mut RECT, areas: LPARAM) -> i32 {
        let mut info = MONITORINFO { cbSize: size_of::<MONITORINFO>() as u32, ..MONITORINFO::default() };
        // SAFETY: `areas` is the vector below, which outlives the call; `info` is ours and has its size set.
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
    // SAFETY: the callback runs only during the call, with the vector borrowed for it.
    unsafe {
        EnumDisplayMonitors(std::ptr::null_mut(), std::ptr::null(), Some(add), (&raw mut areas) as LPARAM);
    }
    areas
}

/// macOS itself keeps windows clear of the menu bar and the dock.
#[cfg(target_os = "macos")]
fn free() -> Vec<Rect> {
    Vec::new()
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn a_property_has_four_numbers_per_screen() {
        let left = (-1920_i32).cast_unsigned();
        let read = rects(&[left, 24, 1920, 1056, 0, 0, 0, 0, 7]);
        assert_eq!(read, [Rect::from_min_size(pos2(-1920.0, 24.0), vec2(1920.0, 1056.0))]);
    }
}
