//! [`LogWords`]: what is said in the connection log.

use super::local;
use crate::model::log::{Counts, Way};
use crate::model::time::WallMs;

/// All that is said in the connection log in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct LogWords {
    pub title: &'static str,
    pub title_of: fn(&str) -> String,
    pub hint: &'static str,
    pub list: &'static str,
    pub resize: &'static str,
    pub resize_line: &'static str,

    // What is shown of it
    pub filter: &'static str,
    pub clear_filter: &'static str,
    pub lines: fn(usize) -> String,
    pub matches: fn(usize, usize) -> String,
    pub show: fn(&str) -> String,
    pub everything: &'static str,
    pub only_received: &'static str,
    pub only_sent: &'static str,
    pub only_notes: &'static str,
    pub kind: fn(&str) -> String,
    pub any_kind: &'static str,

    // What can be done
    pub pause: &'static str,
    pub go_on: &'static str,
    pub meanwhile: fn(u64) -> String,
    pub copy_all: &'static str,
    pub save: &'static str,
    pub saved: fn(&str) -> String,
    pub not_saved: fn(&str) -> String,
    pub clear: &'static str,
    pub close: &'static str,

    // One line
    pub way: fn(Way) -> &'static str,
    pub note: &'static str,
    pub binary: &'static str,
    pub no_kind: &'static str,
    pub counts: fn(&Counts) -> String,
    /// The state's word, and why the link is down.
    pub state: fn(&str, Option<&str>) -> String,
    pub malformed: fn(&str) -> String,
    pub server_error: fn(&str, &str) -> String,
    /// Of a frame of this size only the beginning is kept.
    pub cut: fn(&str) -> String,
    pub copy_line: &'static str,
    pub close_line: &'static str,

    // Nothing to show
    pub nothing_title: &'static str,
    pub nothing_text: fn(usize) -> String,
    pub no_match: &'static str,
}

/// The time of day to the millisecond: the same in every language.
pub fn moment(at: WallMs) -> String {
    local::moment(at, |time| time.format("%H:%M:%S%.3f").to_string())
}

pub use super::local::stamp;
