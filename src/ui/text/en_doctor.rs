//! English: the check of a connection.

use super::doctor::DoctorWords;
use crate::ui::harmless;

/// English.
pub(super) static ENGLISH: DoctorWords = DoctorWords {
    title: |name| format!("Check the connection to {}", harmless::line(name, 60)),
    menu: "Check the connection…",
    find_out: "Find out why",
    running: "Checking… This takes up to 30 seconds.",
    copy: "Copy as text",
    copied: "Copied",
    again: "Check again",
    show_steps: "Show the steps",
    hide_steps: "Hide the steps",
    table: "Transports",
    figures: "What the figures mean",
    report: &crate::doctor::ENGLISH,
};
