//! Logging for both programs: env_logger behind a filter that masks secrets and keeps libraries from logging wire
//! traffic, whatever `RUST_LOG` says; and the same lines into a file, written by a thread of its own, because a disk may
//! be slow.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use env_logger::{Builder, Env, Logger};
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::known;
use crate::model::harmless;

/// Maximum length of one record, in characters.
const MAX_RECORD_CHARS: usize = 8_000;
/// The most verbose level allowed per library. At `trace`, and some at `debug`, they log frames, headers and D-Bus
/// messages; only rendering libraries never see a secret.
const CAPS: &[(&str, LevelFilter)] = &[
    ("duplex", LevelFilter::Trace),
    ("duplexctl", LevelFilter::Trace),
    ("rustls", LevelFilter::Debug),
    ("eframe", LevelFilter::Trace),
    ("egui_glow", LevelFilter::Trace),
    ("egui_wgpu", LevelFilter::Trace),
    ("glutin", LevelFilter::Trace),
    // D-Bus carries secrets for the keyring and texts for screen readers. Includes tracing's spans.
    ("keyring", LevelFilter::Warn),
    ("keyring_core", LevelFilter::Warn),
    ("secret_service", LevelFilter::Warn),
    ("tracing", LevelFilter::Warn),
    ("zbus", LevelFilter::Warn),
    ("zbus_secret_service_keyring_store", LevelFilter::Warn),
    ("naga", LevelFilter::Trace),
    ("wgpu", LevelFilter::Trace),
    ("wgpu_core", LevelFilter::Trace),
    ("wgpu_hal", LevelFilter::Trace),
];
/// Maximum number of lines that wait for the disk. Those beyond it are counted instead.
const MAX_WAITING_LINES: usize = 4_096;
/// How long the program's end waits for the disk.
const FLUSH_WAIT: Duration = Duration::from_secs(1);

/// The level for all others.
const CAP: LevelFilter = LevelFilter::Info;

/// Starts logging, filtered by `RUST_LOG` or by this default, and masks panics the same way.
pub fn start(default_filter: &str) {
    let logger = Builder::from_env(Env::default().default_filter_or(default_filter)).build();
    log::set_max_level(logger.filter());
    // Fails if a test has already set a logger.
    let _ = log::set_boxed_logger(Box::new(Masked(logger)));
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let backtrace = std::backtrace::Backtrace::capture();
        let text = format!("thread '{}' {panic}\n{backtrace}", thread.name().unwrap_or("<unnamed>"));
        let masked = harmless::text(&known::mask(&text)).into_owned();
        // Fails only if standard error is closed.
        let _ = writeln!(std::io::stderr(), "{masked}");
    }));
}

/// What the thread that writes the file is told.
enum FileOrder {
    Line(String),
    /// Answer when all lines before it are written.
    Flush(SyncSender<()>),
}

/// The lines' way to the file, once there is one; and how many lines it had no room for.
static FILE: Mutex<(Option<SyncSender<FileOrder>>, u64)> = Mutex::new((None, 0));

/// Writes what is logged from now on to a file, too: each record as one line and one write. `now`: the time as it stands
/// at the line's beginning.
///
/// # Errors
/// If the system gives no thread.
pub fn to_file(file: impl Write + Send + 'static, now: fn() -> String) -> std::io::Result<()> {
    let (lines, orders) = sync_channel(MAX_WAITING_LINES);
    std::thread::Builder::new().name("log".to_owned()).spawn(move || write_lines(file, &orders, now))?;
    FILE.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(lines);
    Ok(())
}

fn write_lines(mut file: impl Write, orders: &Receiver<FileOrder>, now: fn() -> String) {
    while let Ok(order) = orders.recv() {
        match order {
            // A disk that takes nothing is told of elsewhere, and logging that would not end.
            FileOrder::Line(line) => drop(file.write(format!("{} {line}\n", now()).as_bytes())),
            FileOrder::Flush(done) => {
                let _ = file.flush();
                let _ = done.send(());
            }
        }
    }
}

fn write_to_file(level: Level, target: &str, text: &str) {
    let mut file = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let (Some(lines), lost) = &mut *file else { return };
    if *lost > 0 && lines.try_send(FileOrder::Line(format!("WARN  {lost} lines were left out"))).is_ok() {
        *lost = 0;
    }
    if lines.try_send(FileOrder::Line(format!("{level:5} {target}: {text}"))).is_err() {
        *lost += 1;
    }
}

/// Waits until what was logged is in the file; not for long, if the disk hangs.
pub fn flush_file() {
    let lines = FILE.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
    let Some(lines) = lines else { return };
    let (done, written) = sync_channel(1);
    if lines.try_send(FileOrder::Flush(done)).is_ok() {
        let _ = written.recv_timeout(FLUSH_WAIT);
    }
}

/// The last error logged by the windowing toolkit, which it reports nowhere else.
static LAST_ERROR: Mutex<Option<String>> = Mutex::new(None);

/// The last error logged by the windowing toolkit.
pub fn last_error() -> Option<String> {
    LAST_ERROR.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

struct Masked<L = Logger>(L);

impl<L: Log> Log for Masked<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= cap(metadata.target()) && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = record.args().to_string();
        // Escaped so that one record is one line, whatever a peer sends.
        let masked = harmless::verbatim(&known::mask(&text), MAX_RECORD_CHARS);
        if record.level() == Level::Error && record.target().starts_with("eframe") {
            *LAST_ERROR.lock().unwrap_or_else(PoisonError::into_inner) = Some(masked.to_string());
        }
        write_to_file(record.level(), record.target(), &masked);
        let mut same = Record::builder();
        same.metadata(record.metadata().clone())
            .module_path(record.module_path())
            .file(record.file())
            .line(record.line());
        self.0.log(&same.args(format_args!("{masked}")).build());
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn cap(target: &str) -> LevelFilter {
    let library = target.split("::").next().unwrap_or(target);
    CAPS.iter().find(|(name, _)| *name == library).map_or(CAP, |(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects all records.
    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl Log for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            self.0.lock().unwrap().push(record.args().to_string());
        }

        fn flush(&self) {}
    }

    #[test]
    fn a_record_is_one_line_whatever_a_peer_sends() {
        let logger = Masked(Lines::default());
        let said = "gone: bye\n[ERROR duplex] the hub was taken over\u{1b}[2J\u{2028}x\u{61C}";
        logger.log(
            &Record::builder().target("duplex::hub").level(Level::Warn).args(format_args!("{said}")).build(),
        );
        let lines = logger.0.0.into_inner().unwrap();
        assert_eq!(lines, ["gone: bye␊[ERROR duplex] the hub was taken over␛[2J⟨U+2028⟩x⟨U+061C⟩"]);
    }

    #[test]
    fn wire_traffic_is_not_logged_and_secrets_are_masked() {
        let logger = Masked(Lines::default());
        for (target, level, text) in [
            ("tungstenite::protocol", Level::Trace, "frame"),
            ("tungstenite", Level::Debug, "close frame"),
            ("tokio_tungstenite::tls", Level::Warn, "no roots"),
            ("hyper::proto::h1", Level::Debug, "header"),
            ("rustls::client::hs", Level::Trace, "hello"),
            ("rustls::client::hs", Level::Debug, "cipher"),
            ("duplexer", Level::Debug, "somebody else"),
            ("zbus::connection", Level::Info, "message"),
            ("duplex::worker", Level::Trace, "dialing wss://me:pass@hub.example#invite=ABC"),
        ] {
            logger.log(&Record::builder().target(target).level(level).args(format_args!("{text}")).build());
        }
        let lines = logger.0.0.into_inner().unwrap();
        assert_eq!(lines, ["no roots", "cipher", "dialing wss://•••@hub.example#invite=•••"]);
    }
}
