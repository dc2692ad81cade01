//! English in the connection log.

use super::log::LogWords;
use crate::model::log::{Counts, Way};

/// English in the connection log.
pub static ENGLISH: LogWords = LogWords {
    title: "Connection log",
    title_of: |name| format!("Connection log: {name}"),
    hint: "Show or hide the traffic of this connection",
    list: "Frames and notes",
    resize: "Resize the connection log",
    resize_line: "Resize the opened line",

    filter: "Filter the log",
    clear_filter: "Clear filter",
    lines: |count| if count == 1 { "1 line".to_owned() } else { format!("{count} lines") },
    matches: |shown, all| format!("{shown} of {all}"),
    show: |what| format!("Show: {what}"),
    everything: "everything",
    only_received: "received",
    only_sent: "sent",
    only_notes: "notes",
    kind: |kind| format!("Kind: {kind}"),
    any_kind: "any",

    pause: "Pause",
    go_on: "Resume",
    meanwhile: |count| format!("Paused: {count} new"),
    copy_all: "Copy all",
    save: "Save to file",
    saved: |path| format!("Saved as {path}."),
    not_saved: |detail| format!("Couldn’t save the log: {detail}"),
    clear: "Clear",
    close: "Close log",

    way: |way| match way {
        Way::Sent => "sent",
        Way::Received => "received",
    },
    note: "note",
    binary: "binary",
    no_kind: "no kind",
    counts,
    state: |word, cause| match cause {
        Some(cause) => format!("Connection: {word}. {cause}"),
        None => format!("Connection: {word}"),
    },
    malformed: |detail| format!("Skipped: malformed ({detail})"),
    server_error: |code, detail| format!("Server error {code}: {detail}"),
    cut: |size| format!("Only the beginning is kept; full size {size}."),
    copy_line: "Copy line",
    close_line: "Close details",

    nothing_title: "No traffic yet",
    nothing_text: |most| {
        format!(
            "What is sent and received from now on appears here. Tokens are hidden. The newest {most} frames are \
             kept while the log is open."
        )
    },
    no_match: "No lines match the filter.",
};

fn counts(counts: &Counts) -> String {
    let some =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let mut text =
        format!("{}, {}", some(counts.devices, "device", "devices"), some(counts.values, "value", "values"));
    if counts.left_out > 0 {
        text.push_str(&format!(", {} skipped before", counts.left_out));
    }
    text
}
