//! [`FileWords`]: what is said about files and pictures.

use crate::model::files::FileTrouble;

/// Words about files and pictures.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct FileWords {
    pub attach: &'static str,
    /// Of a file in a message: its name and size.
    pub file_named: fn(&str, &str) -> String,
    /// The same of a picture.
    pub picture_named: fn(&str, &str) -> String,
    pub save: &'static str,
    pub save_as: &'static str,
    pub saved_to: fn(&str) -> String,
    pub show_in_folder: &'static str,
    pub view: &'static str,
    pub fetching: fn(u8) -> String,
    /// Files that are not messages yet.
    pub pending: &'static str,
    pub copying: &'static str,
    pub attached: &'static str,
    pub waiting: &'static str,
    pub uploading: fn(u8) -> String,
    pub sending: &'static str,
    pub remove: fn(&str) -> String,
    pub trouble: fn(&FileTrouble) -> String,
    pub drop_here: &'static str,
    pub path: &'static str,
    pub path_hint: &'static str,
    pub add: &'static str,
    pub viewer: &'static str,
    pub zoom_in: &'static str,
    pub zoom_out: &'static str,
    pub fit: &'static str,
    pub loading: &'static str,
    pub not_a_picture: &'static str,
}
