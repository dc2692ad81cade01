//! [`ArchiveWords`]: what is said where messages are saved as a file.

use crate::model::export::ExportFailure;

/// All that is said there in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct ArchiveWords {
    pub title: &'static str,
    pub this_room: fn(&str) -> String,
    pub all_rooms: &'static str,
    pub readings: &'static str,
    pub from: &'static str,
    pub from_hint: &'static str,
    pub to: &'static str,
    pub to_hint: &'static str,
    pub csv: &'static str,
    pub json_lines: &'static str,
    pub note: &'static str,
    pub save: &'static str,
    pub choosing: &'static str,
    /// So many messages and readings are written.
    pub writing: fn(u64) -> String,
    /// How many there are, and where.
    pub saved: fn(u64, &str) -> String,
    pub cancelled: &'static str,
    pub failed: fn(&ExportFailure) -> String,
}
