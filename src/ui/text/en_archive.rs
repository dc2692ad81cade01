//! English where messages are saved as a file.

use super::archive::ArchiveWords;
use super::en_device_acts;
use crate::model::export::ExportFailure;

/// English where messages are saved as a file.
pub static ENGLISH: ArchiveWords = ArchiveWords {
    title: "Export messages",
    this_room: |room| format!("#{room}"),
    all_rooms: "All rooms of this connection",
    readings: "Readings of its devices, too",
    from: "From",
    from_hint: "the beginning, or a date: 2026-11-03, yesterday",
    to: "To, inclusive",
    to_hint: "now, or a date",
    csv: "CSV, for spreadsheets",
    json_lines: "JSON Lines, for programs",
    note: "What is on this computer is saved, as it reads now: without reactions, earlier versions and deleted messages. Files are not included.",
    save: "Export…",
    choosing: "Choose where to save the file…",
    writing: |count| format!("{count} written…"),
    saved: |count, path| match count {
        1 => format!("1 message or reading saved to {path}"),
        _ => format!("{count} messages and readings saved to {path}"),
    },
    cancelled: "Cancelled. Nothing was saved.",
    failed: |failure| match failure {
        ExportFailure::NotRead { detail } => {
            format!("Not saved: the messages couldn't be read ({detail}). Try again.")
        }
        ExportFailure::Gone => "Not saved: this connection was removed.".to_owned(),
        other => (en_device_acts::ENGLISH.not_saved)(other),
    },
};
