//! What must be there before a window can open, and how to tell a person when it is not.

use std::io::Write as _;

use crate::model::harmless;

/// Longest sentence that is said, in characters.
const MAX_SENTENCE_CHARS: usize = 2_000;

/// Lets a program that Windows gave no console write to the one it was started from: for --help, and for [`tell`].
#[cfg(windows)]
#[allow(unsafe_code)]
pub(super) fn find_console() {
    use windows_sys::Win32::System::Console::{ATTACH_PARENT_PROCESS, AttachConsole};
    // SAFETY: touches no memory of ours. It fails where there is none, which is usual.
    unsafe { AttachConsole(ATTACH_PARENT_PROCESS) };
}

/// Elsewhere every program has what it was started from.
#[cfg(not(windows))]
pub(super) fn find_console() {}

/// Says a sentence where the program was started from; nobody may be left there to read it.
pub(super) fn print(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "duplex: {}", harmless::line(sentence, MAX_SENTENCE_CHARS));
}

/// Says a sentence where the person will see it.
pub(super) fn tell(sentence: &str) {
    print(sentence);
    #[cfg(windows)]
    message_box(sentence);
}

/// A program without a console has no other way to say why it did not start.
#[cfg(windows)]
#[allow(unsafe_code)]
fn message_box(sentence: &str) {
    use windows_sys::Win32::System::Console::GetConsoleWindow;
    use windows_sys::Win32::UI::WindowsAndMessaging::{MB_ICONERROR, MB_OK, MB_SETFOREGROUND, MessageBoxW};
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let (text, caption) = (wide(sentence), wide("Duplex"));
    // SAFETY: both are NUL-terminated and outlive the call, which blocks until the person has read it.
    unsafe {
        if GetConsoleWindow().is_null() {
            let look = MB_OK | MB_ICONERROR | MB_SETFOREGROUND;
            MessageBoxW(std::ptr::null_mut(), text.as_ptr(), caption.as_ptr(), look);
        }
    }
}

/// Whether a window can open here; the error says what to do.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn check() -> Result<(), String> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let (wayland, x11) = (set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET"), set("DISPLAY"));
    if !wayland && !x11 {
        return Err("There is no display to open a window on: neither WAYLAND_DISPLAY nor DISPLAY is set. \
                    Start it from a desktop session, or on a server use duplexctl instead."
            .to_owned());
    }
    let mut wanted = vec![("libxkbcommon.so.0", "libxkbcommon0"), ("libEGL.so.1", "libegl1")];
    if !wayland {
        // winit panics where one of these is missing, instead of saying so.
        wanted.extend([
            ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
            ("libX11.so.6", "libx11-6"),
            ("libX11-xcb.so.1", "libx11-xcb1"),
            ("libXcursor.so.1", "libxcursor1"),
            ("libXi.so.6", "libxi6"),
        ]);
    }
    let missing: Vec<_> = wanted.into_iter().filter(|(library, _)| !can_load(library)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (libraries, packages): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
    Err(format!(
        "The window needs libraries that are not installed: {}. On Debian and Ubuntu: sudo apt install {}",
        libraries.join(", "),
        packages.join(" ")
    ))
}

#[cfg(all(unix, not(target_os = "macos")))]
#[allow(unsafe_code)]
fn can_load(library: &str) -> bool {
    // SAFETY: system libraries that the window is about to load itself; their initialisers are run by every X11 and
    // Wayland program.
    unsafe { libloading::Library::new(library) }.is_ok()
}

/// Sees to it that the process ends when the X server does, as at the end of a desktop session. Xlib would run the exit
/// handlers then, and among them winit closes its input method over the dead connection, for ever and at full load.
/// What a person typed is on disk as after a crash.
#[cfg(all(unix, not(target_os = "macos")))]
#[allow(unsafe_code)]
pub(super) fn end_with_the_display() {
    type Handler = extern "C" fn(*mut std::ffi::c_void) -> std::ffi::c_int;
    extern "C" fn lost(_display: *mut std::ffi::c_void) -> std::ffi::c_int {
        tell("The desktop session has ended.");
        // SAFETY: ends the process at once; nothing of it runs any more.
        unsafe { libc::_exit(1) }
    }
    // SAFETY: the signature is Xlib's (XSetIOErrorHandler(3)); the handler lives as long as the program, and the library
    // is never unloaded.
    unsafe {
        let Ok(xlib) = libloading::Library::new("libX11.so.6") else { return };
        if let Ok(set) = xlib.get::<extern "C" fn(Handler) -> Option<Handler>>(b"XSetIOErrorHandler\0") {
            set(lost);
        }
        std::mem::forget(xlib);
    }
}

/// Windows and macOS always have a display.
#[cfg(any(windows, target_os = "macos"))]
pub(super) fn check() -> Result<(), String> {
    Ok(())
}

/// Windows and macOS end a program with its session by themselves.
#[cfg(any(windows, target_os = "macos"))]
pub(super) fn end_with_the_display() {}
