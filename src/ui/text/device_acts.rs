//! What is said about a person's own names, groups and choices for devices, and about files saved of a device's past.

use crate::model::export::ExportFailure;

/// A person's own choices for devices, in one language. Text from outside comes in harmless.
#[derive(Copy, Clone)]
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct ActWords {
    // The menu
    pub rename: &'static str,
    pub group: &'static str,
    pub pin: &'static str,
    pub unpin: &'static str,
    pub hide: &'static str,
    pub unhide: &'static str,
    pub unmute: &'static str,
    pub copy_id: &'static str,
    pub readings: &'static str,
    pub merge: &'static str,
    /// In the palette: an act and the device that it is about.
    pub act_on: fn(&str, &str) -> String,
    /// No further device can have a choice.
    pub full: fn(usize) -> String,

    // Dialogs
    pub rename_title: fn(&str) -> String,
    pub name: &'static str,
    pub rename_text: &'static str,
    /// What the device announces as its name, and its id.
    pub on_server: fn(&str, &str) -> String,
    pub reset_name: &'static str,
    pub bad_name: fn(usize) -> String,
    pub group_title: fn(&str) -> String,
    pub group_name: &'static str,
    pub group_text: &'static str,
    pub use_group: fn(&str) -> String,
    pub no_group: &'static str,
    pub readings_title: fn(&str) -> String,
    pub readings_text: &'static str,
    pub show_reading: fn(&str) -> String,
    pub reading_name: fn(&str) -> String,
    pub reading_unit: fn(&str) -> String,
    pub no_unit: &'static str,
    pub reset_readings: &'static str,
    pub merge_title: fn(&str) -> String,
    pub merge_text: &'static str,
    pub merge_filter: &'static str,
    pub merge_with: fn(&str) -> String,
    pub merge_nothing: &'static str,
    pub merge_none_fits: &'static str,
    pub merge_more: fn(usize) -> String,
    pub merge_full: fn(usize) -> String,
    /// A device that is shown as a part of this one.
    pub merged_part: fn(&str) -> String,
    pub separate: &'static str,
    pub separate_part: fn(&str) -> String,
    /// Readings of a device that the person hides.
    pub hidden_readings: fn(usize) -> String,

    // What was done
    pub renamed: fn(&str) -> String,
    pub grouped: fn(&str, &str) -> String,
    pub ungrouped: fn(&str) -> String,
    pub hidden: fn(&str) -> String,
    pub shown: fn(&str) -> String,
    pub readings_changed: fn(&str) -> String,
    /// A device, and the one that it is a part of now.
    pub merged: fn(&str, &str) -> String,
    pub separated: fn(&str) -> String,
    pub undo: &'static str,

    // Files
    pub save: &'static str,
    pub save_csv: &'static str,
    pub save_picture: &'static str,
    pub saving: &'static str,
    pub saved: fn(&str, Option<u64>) -> String,
    pub cut: fn(&str) -> String,
    pub picture_part: &'static str,
    pub show_in_folder: &'static str,
    pub copy_path: &'static str,
    pub not_saved: fn(&ExportFailure) -> String,
}
