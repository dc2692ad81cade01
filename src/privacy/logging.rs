//! The log of both programs: env_logger, behind a filter that hides secrets and keeps libraries from writing down what
//! goes over the wire, whatever `RUST_LOG` says.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use env_logger::{Builder, Env, Logger};
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::known;
use crate::model::harmless;

/// Longest text of one record, in characters.
const MAX_RECORD_CHARS: usize = 8_000;
/// What a library may log at most. At `trace`, and some at `debug`, they write frames, headers and messages on the
/// desktop's bus; only those that draw never hold a secret.
const CAPS: &[(&str, LevelFilter)] = &[
    ("duplex", LevelFilter::Trace),
    ("duplexctl", LevelFilter::Trace),
    ("rustls", LevelFilter::Debug),
    ("eframe", LevelFilter::Trace),
    ("egui_glow", LevelFilter::Trace),
    ("egui_wgpu", LevelFilter::Trace),
    ("glutin", LevelFilter::Trace),
    // The desktop's bus, with whatever passes there: secrets to the keyring, texts to screen readers. tracing's spans, too.
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
/// All others.
const CAP: LevelFilter = LevelFilter::Info;

/// Starts the log, with the filter that `RUST_LOG` names or else this one, and has panics go through the same filter.
pub fn start(default_filter: &str) {
    let logger = Builder::from_env(Env::default().default_filter_or(default_filter)).build();
    log::set_max_level(logger.filter());
    // It is set already where a test started it.
    let _ = log::set_boxed_logger(Box::new(Masked(logger)));
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let backtrace = std::backtrace::Backtrace::capture();
        let text = format!("thread '{}' {panic}\n{backtrace}", thread.name().unwrap_or("<unnamed>"));
        // There is nobody to tell if it cannot be written.
        let _ = writeln!(std::io::stderr(), "{}", harmless::text(&known::mask(&text)));
    }));
}

/// The last error that the window's toolkit logged, where it tells nobody else.
static LAST_ERROR: Mutex<Option<String>> = Mutex::new(None);

/// The last error that the window's toolkit logged.
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
        // One record is one line, whatever a peer calls itself or says.
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

    /// Takes everything.
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
    fn a_record_is_one_line_whatever_a_peer_says() {
        let logger = Masked(Lines::default());
        let said = "gone: bye\n[ERROR duplex] the hub was taken over\u{1b}[2J\u{2028}x\u{61C}";
        logger.log(
            &Record::builder().target("duplex::hub").level(Level::Warn).args(format_args!("{said}")).build(),
        );
        let lines = logger.0.0.into_inner().unwrap();
        assert_eq!(lines, ["gone: bye␊[ERROR duplex] the hub was taken over␛[2J⟨U+2028⟩x⟨U+061C⟩"]);
    }

    #[test]
    fn libraries_do_not_log_the_wire_and_secrets_are_hidden_in_what_is_logged() {
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
