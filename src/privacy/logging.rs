//! Logging for both programs: env_logger behind a filter that masks secrets and keeps libraries from logging wire
//! traffic, whatever `RUST_LOG` says.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

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
        // Fails only if standard error is closed.
        let _ = writeln!(std::io::stderr(), "{}", harmless::text(&known::mask(&text)));
    }));
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
