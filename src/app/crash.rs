//! Crashes: a panic leaves a note, and a program that ends without closing leaves its marker. The next start offers both
//! to the person. Nothing is ever sent.

use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::model::Banner;
use crate::privacy;
use crate::settings::{log_folder, private_file};

/// The marker's name. It exists while the program runs.
const MARKER: &str = "app.running";
/// Maximum length of a panic's message in a note, in characters.
const MAX_MESSAGE_CHARS: usize = 300;
/// Maximum number of lines of a backtrace in a note.
const MAX_BACKTRACE_LINES: usize = 120;
/// How messages of the standard library begin that are numbers from there on.
const PLAIN_MESSAGES: &[&str] = &[
    "attempt to ",
    "capacity overflow",
    "index out of bounds: the len is ",
    "range end index ",
    "range start index ",
    "slice index starts at ",
    "mid > len",
    "source slice length ",
];
/// How messages of the standard library begin that go on with a value, which may be anybody's text.
const CUT_MESSAGES: &[&str] = &[
    "already borrowed",
    "already mutably borrowed",
    "assertion `left == right` failed",
    "assertion `left != right` failed",
    "byte index ",
    "called `Option::unwrap()` on a `None` value",
    "called `Result::unwrap()` on an `Err` value",
    "end byte index ",
    "start byte index ",
];

/// The marker of this run, where the program ends without returning to `main`.
static RUNNING: OnceLock<PathBuf> = OnceLock::new();

/// The marker of a run. Dropped, it is gone: the program has ended as it should.
pub(super) struct Running(PathBuf);

/// What a marker says.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    version: String,
    /// Which start of the computer it was, as far as the system says.
    boot: Option<String>,
}

impl Running {
    /// Marks the run, writes notes about panics from now on, and returns what the last run left behind. The data directory
    /// must be claimed.
    pub(super) fn begin(data_dir: &Path) -> (Running, Option<Banner>) {
        let path = data_dir.join(MARKER);
        let left: Option<Marker> =
            std::fs::read(&path).ok().map(|bytes| serde_json::from_slice(&bytes).unwrap_or_default());
        let boot = boot_id();
        let banner = left_behind(log_folder::unseen_note(data_dir), left.as_ref(), boot.as_deref());
        if left.is_some() {
            log::warn!("the last run did not end properly");
        }
        let marker = Marker { version: env!("CARGO_PKG_VERSION").to_owned(), boot };
        let written = serde_json::to_vec(&marker).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|bytes| private_file::write(&path, &bytes)) {
            log::warn!("whether this run ends properly will not be known: {error}");
        }
        note_panics(data_dir.to_owned());
        // Set by the one window of the program; tests begin several runs.
        let _ = RUNNING.set(path.clone());
        (Running(path), banner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Best effort: otherwise the next start says that the program did not end properly.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The program ends as it should, and what is still to be dropped may not be.
pub(super) fn ended() {
    if let Some(marker) = RUNNING.get() {
        let _ = std::fs::remove_file(marker);
    }
}

impl Default for Marker {
    /// A marker that cannot be read says only that it is there.
    fn default() -> Self {
        Marker { version: String::new(), boot: None }
    }
}

/// What to tell the person. A run that ended with the computer, by a power loss or at shutdown, is no crash. Without a
/// note, an end is only told where sign-out does not look the same: on Windows it does.
fn left_behind(note: Option<String>, marker: Option<&Marker>, boot: Option<&str>) -> Option<Banner> {
    let ended_in_this_boot =
        marker.is_some_and(|marker| marker.boot.is_some() && marker.boot.as_deref() == boot);
    match note {
        Some(note) if marker.is_some() => Some(Banner::ClosedUnexpectedly { note: Some(note.into()) }),
        Some(note) => Some(Banner::PartFailed { note: note.into() }),
        None if ended_in_this_boot && !cfg!(windows) => Some(Banner::ClosedUnexpectedly { note: None }),
        None => None,
    }
}

/// Tells apart the starts of this computer.
fn boot_id() -> Option<String> {
    #[cfg(target_os = "linux")]
    return Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned());
    #[cfg(not(target_os = "linux"))]
    {
        // The same within seconds, however often it is asked: the clock may be set meanwhile.
        const STEP_SECONDS: u64 = 60;
        Some((sysinfo::System::boot_time() / STEP_SECONDS).to_string())
    }
}

fn note_panics(data_dir: PathBuf) {
    let system = sysinfo::System::long_os_version().unwrap_or_default();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // A panic of what follows must not end in another one.
        let written = log_folder::add_note(&data_dir, &note(panic, &system));
        before(panic);
        if let Err(error) = written {
            log::warn!("the note about it cannot be written: {error}");
        }
    }));
}

/// The note: what is needed to find the fault, without anything that a person wrote or received.
fn note(panic: &PanicHookInfo<'_>, system: &str) -> String {
    let thread = std::thread::current();
    let place = panic.location().map(|at| format!("{}:{}:{}", source(at.file()), at.line(), at.column()));
    // A literal has nothing in it but what its author wrote.
    let message = match panic.payload().downcast_ref::<&'static str>() {
        Some(literal) => (*literal).to_owned(),
        None => without_values(panic.payload_as_str().unwrap_or_default()),
    };
    let message: String = message.chars().take(MAX_MESSAGE_CHARS).collect();
    let backtrace = std::backtrace::Backtrace::force_capture().to_string();
    let lines: Vec<String> = backtrace.lines().take(MAX_BACKTRACE_LINES).map(in_backtrace).collect();
    let text = format!(
        "Duplex {} ({}, {}) on {system}\n{}\nthread: {}\nat: {}\nmessage: {message}\n\n{}\n\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        clock::utc_text(),
        thread.name().unwrap_or("unnamed"),
        place.as_deref().unwrap_or("unknown"),
        lines.join("\n"),
    );
    privacy::mask(&text).into_owned()
}

/// A panic's message as far as it cannot hold anybody's text.
fn without_values(message: &str) -> String {
    if let Some(known) = CUT_MESSAGES.iter().find(|known| message.starts_with(**known)) {
        return known.trim_end().to_owned();
    }
    let is_plain = PLAIN_MESSAGES.iter().any(|known| message.starts_with(known));
    let is_ascii_line = message.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if is_plain && is_ascii_line && !message.contains(['"', '\'', '`']) {
        return message.to_owned();
    }
    "left out, because it may contain your data".to_owned()
}

/// A source file without the directories of the computer that it was built on.
fn source(path: &str) -> &str {
    let path = path.rfind("/registry/src/").map_or(path, |at| {
        let rest = &path[at + "/registry/src/".len()..];
        rest.split_once('/').map_or(rest, |(_, inside)| inside)
    });
    path.rfind("/src/").filter(|_| path.starts_with('/') || path.contains(':')).map_or(path, |at| {
        let start = path[..at].rfind(['/', '\\']).map_or(0, |slash| slash + 1);
        &path[start..]
    })
}

/// A line of a backtrace: names of functions, and places in the source without this computer's directories.
fn in_backtrace(line: &str) -> String {
    match line.trim_start().strip_prefix("at ") {
        Some(place) => format!("             at {}", source(place)),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_holds_what_somebody_wrote() {
        for (message, noted) in [
            (
                "byte index 1 is not a char boundary; it is inside '비' (bytes 0..3) of `비밀 이야기`",
                "byte index",
            ),
            (
                "called `Result::unwrap()` on an `Err` value: Parse(\"my secret\")",
                "called `Result::unwrap()` on an `Err` value",
            ),
            (
                "index out of bounds: the len is 3 but the index is 5",
                "index out of bounds: the len is 3 but the index is 5",
            ),
            ("no room for my secret", "left out, because it may contain your data"),
            ("attempt to greet 'my secret'", "left out, because it may contain your data"),
        ] {
            assert_eq!(without_values(message), noted);
        }
    }

    #[test]
    fn places_do_not_name_directories_of_the_building_computer() {
        for (path, shown) in [
            ("src/ui/chat/rows.rs", "src/ui/chat/rows.rs"),
            ("./src/ui/chat/rows.rs:3:4", "./src/ui/chat/rows.rs:3:4"),
            (
                "/home/me/.cargo/registry/src/index.crates.io-19/egui-0.37.0/src/ui.rs",
                "egui-0.37.0/src/ui.rs",
            ),
            ("/home/me/duplex/src/ui/mod.rs:1:2", "duplex/src/ui/mod.rs:1:2"),
        ] {
            assert_eq!(source(path), shown);
        }
    }

    #[test]
    fn a_panic_in_any_thread_leaves_a_note_for_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let (running, banner) = Running::begin(dir.path());
        assert_eq!(banner, None);
        let name = std::thread::Builder::new().name("pump".to_owned());
        let body = String::from("what somebody wrote");
        assert!(name.spawn(move || panic!("cannot show {body}")).unwrap().join().is_err());
        // Back to what tests expect.
        drop(std::panic::take_hook());
        let note = log_folder::unseen_note(dir.path()).unwrap();
        assert!(note.starts_with(&format!("Duplex {}", env!("CARGO_PKG_VERSION"))), "{note}");
        assert!(note.contains("thread: pump") && note.contains("at: src/app/crash.rs:"), "{note}");
        assert!(note.contains("crash::tests::") && !note.contains("somebody"), "{note}");
        assert!(note.len() <= log_folder::MAX_NOTE_BYTES);
        // Ended properly all the same: a part of it failed.
        drop(running);
        let (running, banner) = Running::begin(dir.path());
        drop(std::panic::take_hook());
        assert_eq!(banner, Some(Banner::PartFailed { note: note.as_str().into() }));
        // Killed.
        std::mem::forget(running);
        let (_running, banner) = Running::begin(dir.path());
        drop(std::panic::take_hook());
        assert_eq!(banner, Some(Banner::ClosedUnexpectedly { note: Some(note.into()) }));
    }

    #[test]
    fn an_end_with_the_computer_is_no_crash() {
        let marker = |boot: Option<&str>| Marker { version: String::new(), boot: boot.map(str::to_owned) };
        let told = |marker: &Marker| left_behind(None, Some(marker), Some("this"));
        assert_eq!(told(&marker(Some("earlier"))), None);
        assert_eq!(told(&marker(None)), None, "it cannot be told apart");
        let crashed = (!cfg!(windows)).then_some(Banner::ClosedUnexpectedly { note: None });
        assert_eq!(told(&marker(Some("this"))), crashed);
        assert_eq!(left_behind(None, None, Some("this")), None);
    }
}
