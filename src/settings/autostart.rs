//! [`Autostart`]: whether Duplex starts when the person signs in: an entry in `~/.config/autostart` (Linux), in the
//! registry's `Run` key (Windows) or in `~/Library/LaunchAgents` (macOS). The entry itself is the setting, so that what
//! is removed or disabled elsewhere shows as off.

use std::io;
use std::path::{Path, PathBuf};

/// The option with which the entry starts the program: without showing the window.
pub const HIDDEN_OPTION: &str = "--hidden";

/// The entry that starts this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autostart {
    program: String,
    arguments: Vec<String>,
    place: Place,
}

impl Autostart {
    /// For this program with this data directory.
    ///
    /// # Errors
    /// If the program's path is not known or cannot be named in an entry, or nothing outside of a sandbox can be started.
    pub fn new(data_dir: &Path) -> io::Result<Autostart> {
        if Path::new("/.flatpak-info").exists() {
            return Err(io::Error::other("this package cannot add itself; use the desktop's own settings"));
        }
        // An AppImage's program is in a folder that exists only while it runs.
        let image = std::env::var_os("APPIMAGE").map(PathBuf::from).filter(|path| path.is_file());
        let program = text(&image.map_or_else(std::env::current_exe, Ok)?)?;
        let mut arguments = vec![HIDDEN_OPTION.to_owned()];
        if super::data_dir().is_none_or(|usual| usual != data_dir) {
            arguments.extend(["--data-dir".to_owned(), text(&std::path::absolute(data_dir)?)?]);
        }
        Ok(Autostart { program, arguments, place: Place::usual()? })
    }

    /// Whether the entry is there and not disabled.
    pub fn is_on(&self) -> bool {
        self.place.is_on()
    }

    /// Adds the entry, or removes it without a trace.
    ///
    /// # Errors
    /// The system's.
    pub fn set(&self, on: bool) -> io::Result<()> {
        if on { self.place.add(&self.program, &self.arguments) } else { self.place.remove() }
    }

    /// Updates the entry if there is one: the program may have moved since.
    ///
    /// # Errors
    /// The system's.
    pub fn renew(&self) -> io::Result<()> {
        if self.is_on() { self.set(true) } else { Ok(()) }
    }
}

fn text(path: &Path) -> io::Result<String> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    text.map(str::to_owned).ok_or_else(|| io::Error::other(format!("{} cannot be named", path.display())))
}

#[cfg(not(windows))]
fn remove_file(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Replaces the entry in one step, so that no half of it is ever read.
#[cfg(not(windows))]
fn write_file(path: &Path, content: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let part = path.with_extension("part");
    std::fs::write(&part, content).and_then(|()| std::fs::rename(&part, path)).inspect_err(|_| {
        // Best effort: the entry is as it was.
        let _ = std::fs::remove_file(&part);
    })
}

#[cfg(all(unix, not(target_os = "macos")))]
use linux::Place;
#[cfg(target_os = "macos")]
use macos::Place;
#[cfg(windows)]
use windows::Place;

/// The Desktop Application Autostart Specification of freedesktop.org.
#[cfg(all(unix, not(target_os = "macos")))]
mod linux {
    use std::io;
    use std::path::PathBuf;

    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Place(pub(super) PathBuf);

    impl Place {
        pub(super) fn usual() -> io::Result<Place> {
            let dirs =
                directories::BaseDirs::new().ok_or_else(|| io::Error::other("there is no home folder"))?;
            Ok(Place(dirs.config_dir().join("autostart/duplex.desktop")))
        }

        pub(super) fn is_on(&self) -> bool {
            // Desktops disable an entry with either of these.
            let disables = |line: &str| {
                let line = line.replace(' ', "");
                line == "Hidden=true" || line == "X-GNOME-Autostart-enabled=false"
            };
            std::fs::read_to_string(&self.0).is_ok_and(|entry| !entry.lines().any(disables))
        }

        /// `TryExec`: where the program is gone, the entry starts nothing.
        pub(super) fn add(&self, program: &str, arguments: &[String]) -> io::Result<()> {
            let words: Vec<String> =
                std::iter::once(program).chain(arguments.iter().map(String::as_str)).map(quoted).collect();
            let entry = format!(
                "[Desktop Entry]\nType=Application\nName=Duplex\nExec={}\nTryExec={}\nIcon=duplex\nTerminal=false\n\
                 X-GNOME-Autostart-enabled=true\n",
                words.join(" "),
                program.replace('\\', "\\\\"),
            );
            super::write_file(&self.0, &entry)
        }

        pub(super) fn remove(&self) -> io::Result<()> {
            super::remove_file(&self.0)
        }
    }

    /// A word of `Exec`: quoted, field codes escaped, and backslashes doubled once more, as in every text of an entry.
    fn quoted(word: &str) -> String {
        let mut out = String::from("\"");
        for c in word.chars() {
            match c {
                '"' | '`' | '$' => out.extend(['\\', '\\', c]),
                '\\' => out.push_str("\\\\\\\\"),
                '%' => out.push_str("%%"),
                c => out.push(c),
            }
        }
        out.push('"');
        out
    }
}

/// `launchd` reads the entry at the next sign-in.
#[cfg(target_os = "macos")]
mod macos {
    use std::io;
    use std::path::PathBuf;

    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Place(PathBuf);

    const LABEL: &str = "desktop.duplex.Duplex";

    impl Place {
        pub(super) fn usual() -> io::Result<Place> {
            let dirs =
                directories::BaseDirs::new().ok_or_else(|| io::Error::other("there is no home folder"))?;
            Ok(Place(dirs.home_dir().join(format!("Library/LaunchAgents/{LABEL}.plist"))))
        }

        pub(super) fn is_on(&self) -> bool {
            self.0.is_file()
        }

        pub(super) fn add(&self, program: &str, arguments: &[String]) -> io::Result<()> {
            let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let words = std::iter::once(program).chain(arguments.iter().map(String::as_str));
            let words: String = words.map(|word| format!("<string>{}</string>", escaped(word))).collect();
            let entry = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
                 <plist version=\"1.0\"><dict><key>Label</key><string>{LABEL}</string>\
                 <key>ProgramArguments</key><array>{words}</array>\
                 <key>RunAtLoad</key><true/><key>ProcessType</key><string>Interactive</string></dict></plist>\n"
            );
            super::write_file(&self.0, &entry)
        }

        pub(super) fn remove(&self) -> io::Result<()> {
            super::remove_file(&self.0)
        }
    }
}

/// The uninstaller removes the same values: packaging/windows/installer.nsi.
#[cfg(windows)]
#[allow(unsafe_code)]
mod windows {
    use std::io;
    use std::ptr::null_mut;

    use windows_sys::Win32::Foundation::ERROR_FILE_NOT_FOUND;
    use windows_sys::Win32::System::Registry::{
        HKEY_CURRENT_USER, REG_SZ, RRF_RT_ANY, RegDeleteKeyValueW, RegGetValueW, RegSetKeyValueW,
    };

    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Place;

    const RUN: &str = "Software\\Microsoft\\Windows\\CurrentVersion\\Run";
    /// Where Windows notes what a person disabled in its own settings.
    const APPROVED: &str = "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\StartupApproved\\Run";
    const NAME: &str = "Duplex";

    impl Place {
        pub(super) fn usual() -> io::Result<Place> {
            Ok(Place)
        }

        pub(super) fn is_on(&self) -> bool {
            // An odd first byte means that it was disabled there.
            let is_disabled = first_byte(APPROVED).is_some_and(|byte| byte & 1 == 1);
            first_byte(RUN).is_some() && !is_disabled
        }

        pub(super) fn add(&self, program: &str, arguments: &[String]) -> io::Result<()> {
            // No path of Windows has quotation marks in it.
            let words = std::iter::once(program).chain(arguments.iter().map(String::as_str));
            let words: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
            let (key, name, value) = (wide(RUN), wide(NAME), wide(&words.join(" ")));
            // SAFETY: all three are NUL-terminated and outlive the call; the length is that of the value in bytes.
            let code = unsafe {
                let bytes = (value.len() * 2) as u32;
                RegSetKeyValueW(
                    HKEY_CURRENT_USER,
                    key.as_ptr(),
                    name.as_ptr(),
                    REG_SZ,
                    value.as_ptr().cast(),
                    bytes,
                )
            };
            outcome(code)?;
            delete(APPROVED)
        }

        pub(super) fn remove(&self) -> io::Result<()> {
            delete(RUN)?;
            delete(APPROVED)
        }
    }

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().chain([0]).collect()
    }

    fn outcome(code: u32) -> io::Result<()> {
        match code {
            0 | ERROR_FILE_NOT_FOUND => Ok(()),
            code => Err(io::Error::from_raw_os_error(code.cast_signed())),
        }
    }

    fn delete(key: &str) -> io::Result<()> {
        let (key, name) = (wide(key), wide(NAME));
        // SAFETY: both are NUL-terminated and outlive the call.
        outcome(unsafe { RegDeleteKeyValueW(HKEY_CURRENT_USER, key.as_ptr(), name.as_ptr()) })
    }

    fn first_byte(key: &str) -> Option<u8> {
        let (key, name) = (wide(key), wide(NAME));
        let mut value = [0_u8; 4_096];
        let mut size = value.len() as u32;
        // SAFETY: the names are NUL-terminated, the buffer is as large as `size` says, and all outlive the call.
        let code = unsafe {
            RegGetValueW(
                HKEY_CURRENT_USER,
                key.as_ptr(),
                name.as_ptr(),
                RRF_RT_ANY,
                null_mut(),
                value.as_mut_ptr().cast(),
                &mut size,
            )
        };
        (code == 0 && size > 0).then_some(value[0])
    }
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    fn autostart(dir: &Path) -> Autostart {
        Autostart {
            program: "/opt/My $apps/50% \"du`plex\\".to_owned(),
            arguments: vec![HIDDEN_OPTION.to_owned()],
            place: Place(dir.join("autostart/duplex.desktop")),
        }
    }

    #[test]
    fn the_entry_is_added_disabled_elsewhere_and_removed_without_a_trace() {
        let dir = tempfile::tempdir().unwrap();
        let autostart = autostart(dir.path());
        assert!(!autostart.is_on());
        autostart.set(true).unwrap();
        assert!(autostart.is_on());
        let entry = std::fs::read_to_string(&autostart.place.0).unwrap();
        // Read as the specification says: first the text's own escapes, then those of the quotation.
        let exec = entry.lines().find_map(|line| line.strip_prefix("Exec=")).unwrap();
        assert_eq!(exec, r#""/opt/My \\$apps/50%% \\"du\\`plex\\\\" "--hidden""#);
        assert!(entry.contains("\nTryExec=/opt/My $apps/50% \"du`plex\\\\\n"), "{entry}");
        std::fs::write(&autostart.place.0, entry.replace("enabled=true", "enabled=false")).unwrap();
        assert!(!autostart.is_on(), "the desktop's settings turned it off");
        autostart.renew().unwrap();
        assert!(!autostart.is_on(), "and it stays off");
        autostart.set(true).unwrap();
        assert!(autostart.is_on());
        autostart.set(false).unwrap();
        autostart.set(false).unwrap();
        let left: Vec<_> = std::fs::read_dir(dir.path().join("autostart")).unwrap().collect();
        assert!(!autostart.is_on() && left.is_empty(), "{left:?}");
    }

    #[test]
    fn another_data_directory_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let autostart = Autostart::new(dir.path()).unwrap();
        assert_eq!(autostart.arguments, ["--hidden", "--data-dir", dir.path().to_str().unwrap()]);
        let usual = Autostart::new(&crate::settings::data_dir().unwrap()).unwrap();
        assert_eq!(usual.arguments, ["--hidden"]);
    }
}
