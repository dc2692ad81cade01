//! Checks the requirements for opening a window, and shows an error if they are not met.

use std::io::Write as _;

use crate::model::harmless;

/// Maximum length of a message, in characters.
const MAX_SENTENCE_CHARS: usize = 2_000;

/// Attaches a Windows GUI program to the console of its parent, for --help and [`tell`].
#[cfg(windows)]
#[allow(unsafe_code)]
pub(super) fn find_console() {
    use windows_sys::Win32::System::Console::{ATTACH_PARENT_PROCESS, AttachConsole};
    // SAFETY: accesses no memory of ours. It fails if there is no console, which is usual.
    unsafe { AttachConsole(ATTACH_PARENT_PROCESS) };
}

/// Other systems do not need this.
#[cfg(not(windows))]
pub(super) fn find_console() {}

/// Lets another program bring its window to the front: Windows allows that only to the program that the person is using,
/// which for a moment is this one.
#[cfg(windows)]
#[allow(unsafe_code)]
pub(super) fn let_others_come_to_front() {
    use windows_sys::Win32::UI::WindowsAndMessaging::{ASFW_ANY, AllowSetForegroundWindow};
    // SAFETY: accesses no memory of ours. It fails if this program may not do so itself.
    unsafe { AllowSetForegroundWindow(ASFW_ANY) };
}

/// Other systems do not need this.
#[cfg(not(windows))]
pub(super) fn let_others_come_to_front() {}

/// Prints a message to standard error, which may be closed.
pub(super) fn print(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "duplex: {}", harmless::line(sentence, MAX_SENTENCE_CHARS));
}

/// Shows a message where the user will see it.
pub(super) fn tell(sentence: &str) {
    print(sentence);
    #[cfg(windows)]
    message_box(sentence);
}

/// A program without a console can only show errors in a dialog.
#[cfg(windows)]
#[allow(unsafe_code)]
fn message_box(sentence: &str) {
    use windows_sys::Win32::System::Console::GetConsoleWindow;
    use windows_sys::Win32::UI::WindowsAndMessaging::{MB_ICONERROR, MB_OK, MB_SETFOREGROUND, MessageBoxW};
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let (text, caption) = (wide(sentence), wide("Duplex"));
    // SAFETY: both are NUL-terminated and outlive the call, which blocks until the dialog is closed.
    unsafe {
        if GetConsoleWindow().is_null() {
            let look = MB_OK | MB_ICONERROR | MB_SETFOREGROUND;
            MessageBoxW(std::ptr::null_mut(), text.as_ptr(), caption.as_ptr(), look);
        }
    }
}

/// Whether a window can be opened; the error says what to do.
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
        // winit panics if one of these is missing.
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
        return reach(wayland);
    }
    let (libraries, packages): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
    Err(format!(
        "The window needs libraries that are not installed: {}. On Debian and Ubuntu: sudo apt install {}",
        libraries.join(", "),
        packages.join(" ")
    ))
}

/// Whether the display that will be used responds; the error says why not. Wayland takes precedence if both are set.
#[cfg(all(unix, not(target_os = "macos")))]
fn reach(wayland: bool) -> Result<(), String> {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    // An inherited socket is already open.
    if wayland && !var("WAYLAND_SOCKET").is_empty() {
        return Ok(());
    }
    let x11 = var("DISPLAY");
    match wayland {
        true => sockets::wayland(&var("WAYLAND_DISPLAY"), &var("XDG_RUNTIME_DIR")).map_err(|why| match x11.as_str() {
            "" => why,
            _ => format!("{why} To use X11 instead, unset WAYLAND_DISPLAY."),
        }),
        false => sockets::x11(&x11).and_then(|()| match can_open(&x11) {
            true => Ok(()),
            false => Err(format!(
                "You don't have permission to use the display {x11}. Start Duplex as the user who is logged in there, or \
                 allow it with xhost."
            )),
        }),
    }
}

/// Connects to a display's socket directly, because the libraries report no reasons.
#[cfg(all(unix, not(target_os = "macos")))]
mod sockets {
    use std::io::{self, ErrorKind};
    use std::net::{TcpStream, ToSocketAddrs as _};
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    /// How long a remote X server may take to respond.
    const MAX_WAIT: Duration = Duration::from_secs(5);
    /// The port of an X server's first display.
    const X11_PORT: u16 = 6_000;

    pub(super) fn wayland(name: &str, runtime: &str) -> Result<(), String> {
        let path = match Path::new(name) {
            path if path.is_absolute() => path.to_owned(),
            _ if runtime.is_empty() => {
                return Err(format!(
                    "WAYLAND_DISPLAY is {name}, but XDG_RUNTIME_DIR is not set, so its socket can't be found. Start Duplex \
                     from a desktop session."
                ));
            }
            path => PathBuf::from(runtime).join(path),
        };
        UnixStream::connect(&path).map(drop).map_err(|error| {
            let place = path.display();
            match error.kind() {
                ErrorKind::NotFound => format!("The Wayland socket {place} doesn't exist. Is the desktop session running?"),
                ErrorKind::PermissionDenied => {
                    format!("You don't have permission to use the Wayland socket {place}. It belongs to another user.")
                }
                ErrorKind::ConnectionRefused => {
                    format!("No Wayland compositor is running at {place}; the session it belonged to has ended.")
                }
                _ => format!("The Wayland socket {place} can't be used: {error}."),
            }
        })
    }

    pub(super) fn x11(display: &str) -> Result<(), String> {
        // `host:number.screen`; an empty host or `unix` is this computer.
        let parsed = display.rsplit_once(':').and_then(|(host, rest)| {
            let number: u16 = rest.split('.').next()?.parse().ok()?;
            Some((host.trim_end_matches(':'), number))
        });
        let Some((host, number)) = parsed else {
            return Err(format!("DISPLAY is set to {display}, which isn't a display such as :0."));
        };
        let answered = match host {
            "" | "unix" => local(number),
            // A special form that only the library understands.
            host if host.contains('/') => return Ok(()),
            host => remote(host, number),
        };
        answered.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => format!("You don't have permission to use the display {display}."),
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => format!(
                "No X server is running at the display {display}. Check DISPLAY, or start Duplex from a desktop session."
            ),
            _ => format!("The X server at the display {display} can't be reached: {error}."),
        })
    }

    fn local(number: u16) -> io::Result<()> {
        let path = format!("/tmp/.X11-unix/X{number}");
        let by_file = UnixStream::connect(&path).map(drop);
        #[cfg(target_os = "linux")]
        if by_file.is_err() {
            use std::os::linux::net::SocketAddrExt as _;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(&path)?;
            if UnixStream::connect_addr(&address).is_ok() {
                return Ok(());
            }
        }
        by_file
    }

    fn remote(host: &str, number: u16) -> io::Result<()> {
        let port = X11_PORT.saturating_add(number);
        let mut failure = io::Error::from(ErrorKind::NotFound);
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, MAX_WAIT) {
                Ok(_) => return Ok(()),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    #[cfg(test)]
    mod tests {
        use std::os::unix::net::UnixListener;

        use super::*;

        #[test]
        fn errors_name_the_cause_of_an_unavailable_display() {
            let no_display = x11("nonsense").unwrap_err();
            assert!(no_display.contains("isn't a display"), "{no_display}");
            // A display number that nothing uses.
            let dead = x11(":64999").unwrap_err();
            assert!(dead.contains("No X server is running at the display :64999"), "{dead}");
            let dir = tempfile::tempdir().unwrap();
            let runtime = dir.path().to_str().unwrap();
            assert!(wayland("wayland-9", runtime).unwrap_err().contains("doesn't exist"));
            assert!(wayland("wayland-9", "").unwrap_err().contains("XDG_RUNTIME_DIR"));
            let path = dir.path().join("wayland-9");
            let listener = UnixListener::bind(&path).unwrap();
            assert_eq!(wayland("wayland-9", runtime), Ok(()));
            assert_eq!(wayland(path.to_str().unwrap(), ""), Ok(()));
            drop(listener);
            assert!(wayland("wayland-9", runtime).unwrap_err().contains("has ended"));
        }
    }
}

/// Whether the X server accepts us. It has responded, so only permission can be missing.
#[cfg(all(unix, not(target_os = "macos")))]
#[allow(unsafe_code)]
fn can_open(display: &str) -> bool {
    type Open = extern "C" fn(*const std::ffi::c_char) -> *mut std::ffi::c_void;
    type Close = extern "C" fn(*mut std::ffi::c_void) -> std::ffi::c_int;
    let Ok(name) = std::ffi::CString::new(display) else { return false };
    // SAFETY: the signatures are Xlib's (XOpenDisplay(3)); the name outlives the call, the library is never unloaded,
    // and the connection is closed by its own function.
    unsafe {
        let Ok(xlib) = libloading::Library::new("libX11.so.6") else { return true };
        let opened = match (xlib.get::<Open>(b"XOpenDisplay\0"), xlib.get::<Close>(b"XCloseDisplay\0")) {
            (Ok(open), Ok(close)) => {
                let connection = open(name.as_ptr());
                if !connection.is_null() {
                    close(connection);
                }
                !connection.is_null()
            }
            _ => true,
        };
        std::mem::forget(xlib);
        opened
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
#[allow(unsafe_code)]
fn can_load(library: &str) -> bool {
    // SAFETY: system libraries that the window is about to load itself; every X11 and Wayland program runs their
    // initialisers.
    unsafe { libloading::Library::new(library) }.is_ok()
}

/// Ends the process when the X server goes away, as at the end of a desktop session. Otherwise Xlib would run the
/// exit handlers, and winit's would close its input method over the dead connection, forever and at full load. What
/// the user typed is on disk, as after a crash.
#[cfg(all(unix, not(target_os = "macos")))]
#[allow(unsafe_code)]
pub(super) fn end_with_the_display() {
    type Handler = extern "C" fn(*mut std::ffi::c_void) -> std::ffi::c_int;
    extern "C" fn lost(_display: *mut std::ffi::c_void) -> std::ffi::c_int {
        tell("The desktop session has ended.");
        super::crash::ended();
        // SAFETY: ends the process at once; nothing of it runs afterwards.
        unsafe { libc::_exit(1) }
    }
    // SAFETY: the signature is Xlib's (XSetIOErrorHandler(3)); the handler lives as long as the program, and the
    // library is never unloaded.
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

/// Windows and macOS end a program with its session themselves.
#[cfg(any(windows, target_os = "macos"))]
pub(super) fn end_with_the_display() {}
