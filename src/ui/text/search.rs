//! [`SearchWords`]: what is said while somebody searches or goes to a date.

use crate::model::search::Fault;

/// All that is said of searching in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct SearchWords {
    // The pane
    pub button: &'static str,
    pub field: &'static str,
    pub hint_room: fn(&str) -> String,
    pub hint_everywhere: &'static str,
    pub this_room: &'static str,
    pub everywhere: &'static str,
    pub close: &'static str,

    // Before anything is typed
    pub help_title: &'static str,
    pub help_text: &'static str,
    /// What to type, and what it does; in the order of from, in, is, before, after, has, quotation.
    pub help: [(&'static str, &'static str); 7],
    pub fault: fn(&Fault) -> String,

    // What was found
    pub results: &'static str,
    pub count: fn(usize, bool) -> String,
    pub hit: fn(&str, &str, &str, &str) -> String,
    pub not_sent: &'static str,
    pub older: &'static str,
    pub no_older: &'static str,
    pub time_up: fn(Option<&str>) -> String,
    pub further: &'static str,

    // Why there may be more, or nothing
    pub nothing: &'static str,
    pub nothing_text: &'static str,
    pub nothing_here: &'static str,
    pub nobody: &'static str,
    pub no_room: &'static str,
    pub indexing: fn(u8) -> String,
    pub more_at_hub: &'static str,
    pub disk_trouble: &'static str,
    pub failed: &'static str,

    // Go to date
    pub go_to_date: &'static str,
    pub date: &'static str,
    pub date_hint: &'static str,
    pub no_date: &'static str,
    pub go: &'static str,
    pub week_ago: &'static str,
    pub beginning: &'static str,
    pub none_since: fn(&str, &str) -> String,
    pub none_at_all: &'static str,
    pub older_at_hub: fn(&str) -> String,
    pub go_to_oldest: &'static str,
}
