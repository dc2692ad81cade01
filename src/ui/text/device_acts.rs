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

    // What was done
    pub renamed: fn(&str) -> String,
    pub grouped: fn(&str, &str) -> String,
    pub ungrouped: fn(&str) -> String,
    pub hidden: fn(&str) -> String,
    pub shown: fn(&str) -> String,
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
